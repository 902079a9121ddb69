// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// The operator's board: who may see it, numbers and processes while a worker is killed, the
// journal of a session with 2,000 rows, the log, the trust lists, the settings.
import { PHONE, story } from "../test/story.mjs";

await story(async ({ open, visitor, ok, is, like, until, tell, shot, checkAccess, allow }) => {
	// The answer to a stranger, and connections of a worker that was killed.
	allow(/403|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION|ERR_EMPTY_RESPONSE|network/i);
	const page = await open("/#/board");

	// ---- a stranger ----

	await until(() => page.getByText("This board is for admins").isVisible(),
		"the board tells a stranger that it is for admins");
	const command = await page.locator("code").innerText();
	like(command, /^echo 0x[0-9a-f]{64} >> \.co\/admins\.txt$/, "a stranger is told by which command one becomes an admin");
	await shot(page, "board-stranger");
	await checkAccess(page, "the board of a stranger");
	await tell("obey", command);
	await page.reload();

	// ---- now ----

	const processes = page.getByRole("table").first().locator("tbody tr");
	await until(async () => await processes.count() === 5, "an admin sees all processes");
	await until(() => page.getByText("runs well").isVisible(), "a server that runs well is told");
	await until(async () => await page.locator("[data-name=turns] .bd-big").innerText() === "2",
		"the turns of now are counted");
	await until(async () => parseFloat(await page.locator("[data-name=events] .bd-big").innerText()) > 5,
		"events per second are told");
	await until(async () => (await page.locator("[data-name=events] polyline")
		.getAttribute("points")).split(" ").length > 2, "numbers have a curve");
	await until(() => page.locator("tr[data-session=waits]").getByText("waits for approval").isVisible(),
		"a session that waits for a person is told");
	await checkAccess(page, "the board");
	const dead = Number(await page.locator("tr", { hasText: "worker 2" }).getAttribute("data-pid"));
	await tell("kill", dead);
	await until(async () => await page.locator(`tr[data-pid="${dead}"]`).count() === 0 &&
		await processes.count() === 5, "a worker that was killed is replaced on the board");
	await until(() => page.getByText("1 process replaced").isVisible(), "the death of a worker is counted");
	await shot(page, "board-now");

	// ---- the journal of a session ----

	await page.locator("tr[data-session=big]").getByRole("button").click();
	await until(() => page.getByText("2,004 rows").isVisible(), "the inspector has all rows of a session");
	const list = page.getByRole("region", { name: "Rows" });
	ok(await page.locator(".bd-journal-row").count() < 100, "only rows in view are in the document");
	await until(() => list.getByText("done", { exact: true }).isVisible(), "a journal begins with its newest rows");
	await list.evaluate((node) => { node.scrollTop = 0; });
	await until(() => list.getByText("input", { exact: true }).isVisible(), "a journal scrolls to its first row");
	await page.getByLabel("Type").selectOption("tool_result");
	await until(() => page.getByText("1,000 of 2,004 rows").isVisible(), "rows can be filtered by type");
	await page.getByPlaceholder("Find in the rows").fill("s1-777\"");
	await until(() => page.getByText("1 of 2,004 rows").isVisible(), "rows can be searched");
	await page.locator(".bd-journal-row").click();
	await until(async () => JSON.parse(await page.locator(".bd-json pre").innerText()).tool_id === "s1-777",
		"a row is shown as JSON");
	await shot(page, "board-inspector");
	await checkAccess(page, "the inspector");
	await page.goto(page.url().replace(/big$/, "tour"));
	await until(async () => /^\d+ rows$/.test(await page.locator(".bd-inspector [role=status]").innerText()) &&
		await page.getByRole("heading", { name: "tour" }).isVisible(),
	"an address leads to the journal of a session");
	const script = await page.evaluate(() => new Promise((done) => {
		navigator.clipboard.writeText = async (text) => done(text);
		[...document.querySelectorAll("button")].find((b) => b.textContent === "Copy as test case").click();
	}));
	is(await tell("play", script), 0, "a session that was copied as a test case passes as a test");

	// ---- the log ----

	await page.getByRole("link", { name: "Logs" }).click();
	await until(() => page.getByText(/GET \/admin\/logs\/tail/).first().isVisible(), "the log is shown as it grows");
	await page.getByPlaceholder("Find in the log").fill("no line has this");
	await until(() => page.getByText("0 lines").isVisible(), "the log can be searched");
	await page.getByPlaceholder("Find in the log").fill("");
	await checkAccess(page, "the log");

	// ---- people ----

	await page.getByRole("link", { name: "People" }).click();
	const inList = (name) => page.locator(`[data-list=${name}]`);
	await until(() => inList("contacts").getByText("ann", { exact: true }).isVisible(), "the trust lists are shown");
	await inList("contacts").getByRole("button", { name: "Promote: ann" }).click();
	await until(() => inList("whitelist").getByText("ann", { exact: true }).isVisible(), "a contact can be promoted");
	await page.getByLabel("Address or name").fill("mallory");
	await page.getByLabel("Change").selectOption("block");
	await page.getByRole("button", { name: "Do it" }).click();
	await until(() => inList("blocklist").getByText("mallory").first().isVisible(), "anybody can be blocked");
	await shot(page, "board-people");
	await checkAccess(page, "the trust lists");

	// ---- settings ----

	await page.getByRole("link", { name: "Settings" }).click();
	await until(() => page.getByRole("row", { name: /^name / }).getByText("tester").isVisible(),
		"settings are shown with their values");
	await page.getByLabel(/differ from the default/).check();
	await until(async () => await page.getByRole("row").count() < 30, "settings can be limited to changed ones");
	await shot(page, "board-settings");

	// ---- a phone ----

	await page.setViewportSize(PHONE.viewport);
	for (const place of ["Now", "Logs", "People", "Settings"]) {
		await page.getByRole("link", { name: place }).click();
		await page.waitForTimeout(300);
		is(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true,
			`"${place}" does not scroll sideways on a phone`);
	}
	await page.emulateMedia({ colorScheme: "dark" });
	await page.getByRole("link", { name: "Now" }).click();
	await until(() => page.getByText("runs well").isVisible(), "the board fits a phone");
	await shot(page, "board-phone");
});
