// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// The page opens: from each of its places, with its styles, as an app.
import { PHONE, story } from "../test/story.mjs";

await story(async ({ open, visitor, is, ok, until, shot, url }) => {
	const page = await open("/");
	await until(() => page.locator("h1").isVisible(), "the page opens");
	await shot(page, "open");
	const manifest = await page.evaluate(async () => {
		const link = document.querySelector("link[rel=manifest]").href;
		const manifest = await (await fetch(link)).json();
		const icon = await fetch(new URL(manifest.icons[0].src, link));
		return [manifest.name, icon.headers.get("content-type")];
	});
	is(manifest, ["co-hostd", "image/svg+xml"], "the page has a manifest and its icon");
	const loaded = await page.evaluate(() => performance.getEntriesByType("resource")
		.map(({ name, decodedBodySize }) => [new URL(name).pathname, decodedBodySize > 0]));
	ok(loaded.every(([, isWhole]) => isWhole), "every file of the page is loaded",
		JSON.stringify(loaded));
	for (const path of ["/dashboard", "/agents"]) {
		const other = await open(path);
		await until(() => other.locator("h1").isVisible(), `the page opens at ${path}`);
		await other.close();
	}
	const again = await page.goto(url);
	is(again.status(), 200, "the page can be opened again");

	const phone = await visitor("the page on a phone", PHONE);
	const small = await phone.open("/");
	await until(() => small.locator("h1").isVisible(), "the page opens on a phone");
	is(await small.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true,
		"the page does not scroll sideways on a phone");
	const dark = await visitor("the dark page", { colorScheme: "dark" });
	const night = await dark.open("/");
	await until(() => night.locator("h1").isVisible(), "the page opens in dark colours");
	await shot(night, "open-dark");
});
