// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// Files that are sent, and images that come: limits are told before anything is sent, and no
// image is fetched from elsewhere. The server takes files of 1 MB.
import { field, hasAnswer, say } from "./chat.mjs";
import { story } from "../test/story.mjs";

const PNG = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64");

/** Put a file on the page as the clipboard or the mouse does. */
function give(page, type, name, mime, bytes) {
	return page.evaluate(([kind, fileName, fileType, data]) => {
		const files = new DataTransfer();
		const content = Uint8Array.from(atob(data), (char) => char.charCodeAt(0));
		files.items.add(new File([content], fileName, { type: fileType }));
		const init = { bubbles: true, cancelable: true };
		const event = kind === "paste" ? new ClipboardEvent(kind, { ...init, clipboardData: files })
			: new DragEvent(kind, { ...init, dataTransfer: files });
		document.querySelector("#field").dispatchEvent(event);
	}, [type, name, mime, bytes.toString("base64")]);
}

await story(async ({ open, is, ok, like, until, tell, checkAccess, shot }) => {
	const page = await open("/");
	const chosen = page.locator("input[type=file]");
	const chips = () => page.getByRole("list", { name: "Files to send" }).getByRole("listitem")
		.allInnerTexts();

	await chosen.setInputFiles({ name: "big.bin", mimeType: "application/octet-stream",
		buffer: Buffer.alloc(1_200_000) });
	await until(async () => /big\.bin has 1\.\d MB.*at most 1 MB/.test(
		await page.getByRole("alert").innerText()), "a file over the limit is refused when it is chosen");
	is(await page.getByRole("list", { name: "Files to send" }).count(), 0,
		"a file over the limit is not attached");

	await chosen.setInputFiles({ name: "notes.txt", mimeType: "text/plain",
		buffer: Buffer.from("some notes") });
	await give(page, "paste", "pasted.png", "image/png", PNG);
	await give(page, "drop", "dropped.csv", "text/csv", Buffer.from("a,b\n1,2\n"));
	await until(async () => (await chips()).length === 3, "files come by button, paste and drop");
	like((await chips()).join(" "), /notes\.txt.*dropped\.csv/s, "attached files are named");
	is(await page.getByRole("list", { name: "Files to send" }).locator("img").count(), 1,
		"an attached image has a preview");
	await shot(page, "files");
	await page.getByRole("button", { name: "Remove dropped.csv" }).click();
	is((await chips()).length, 2, "an attached file can be removed");
	await say(page, "look at these");
	await until(() => hasAnswer(page, /notes\.txt \(10 bytes\)/), "files reach the agent");
	ok(await hasAnswer(page, /Image 1: image.png/), "images reach the agent");
	is(await page.getByRole("list", { name: "Files to send" }).count(), 0,
		"the field is empty after files were sent");

	await checkAccess(page, "a page with files");
	await page.close();
	await tell("serve", "images");
	const seen = await open("/");
	await say(seen, "look");
	await until(() => hasAnswer(seen, /^looked$/), "an agent with images is answered for");
	await until(async () => await seen.locator("main img[src^='data:image/gif']").count() === 1,
		"an image of the agent is shown");
	is(await seen.evaluate(() => [...document.images].filter(({ src }) => !src.startsWith("data:image/"))
		.map(({ src }) => src)), [], "no image is loaded from elsewhere");
	like(await seen.locator("main").innerText(), /127\.0\.0\.1:9\/seen\.png/,
		"the address of an image that is not loaded is shown");
	ok(await field(seen).isVisible(), "the page goes on after images that are none");
});
