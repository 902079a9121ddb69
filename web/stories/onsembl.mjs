// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// Onsembl's command centre: sign in, choose agents, run commands, read what they write, answer,
// cancel, come back after a worker died, and stop everything.
import { PHONE, story } from "../test/story.mjs";

await story(async ({ open, visitor, ok, is, like, until, tell, shot, checkAccess, allow,
	url }) => {
	// A socket of a worker that was killed is told on the console.
	allow(/WebSocket/);
	const token = await tell("token");
	const page = await open("/agents");
	const card = (name) => page.locator(".bd-agent", { has: page.getByRole("heading", { name, exact: true }) });
	const pane = (text) => page.locator(".bd-pane", { has: page.getByRole("heading", { name: text }) });
	const run = async (text) => {
		await page.getByLabel("What should they do?").fill(text);
		await page.getByRole("button", { name: "Run", exact: true }).click();
	};

	// ---- signing in ----

	await until(() => page.getByRole("heading", { name: "Sign in" }).isVisible(),
		"a page without a token asks for one");
	await checkAccess(page, "the page that asks for a token");
	await page.getByLabel("Token", { exact: true }).fill("nonsense");
	await page.getByRole("button", { name: "Sign in" }).click();
	await until(() => page.getByText("This token is not accepted").isVisible(),
		"a token that is not taken is told");
	await page.getByLabel("Token", { exact: true }).fill(token);
	await page.getByRole("button", { name: "Sign in" }).click();

	// ---- agents ----

	await until(() => card("laptop").getByText("ready").isVisible(), "an agent that is there is ready");
	await until(() => card("builder").getByText("Machine").isVisible(), "all agents are shown");
	ok(!(await page.evaluate(() => location.href + document.cookie)).includes(token),
		"the token is neither in the address nor in a cookie");
	await until(async () => / ago|now/.test(await card("laptop").locator("time").innerText()),
		"the age of a heartbeat is told");
	await shot(page, "onsembl-agents");
	await checkAccess(page, "the page of agents");
	await page.getByLabel("Choose laptop").check();
	await page.getByLabel("Choose builder").check();
	await page.getByRole("button", { name: "Command 2 agents" }).click();

	// ---- a command and its output ----

	const text = "printf '\\033[1;32mgreen\\033[0m\\n'; echo oops >&2; seq 1 300";
	await run(text);
	await until(async () => await page.locator(".bd-pane.bd-is-completed").count() === 2,
		"a command for two agents runs on both");
	const first = page.locator(".bd-pane").first();
	await until(() => first.getByText("302 lines").isVisible(), "all lines are counted");
	await until(() => first.getByText("300", { exact: true }).isVisible(), "the end of the output is in view");
	await first.getByRole("combobox").selectOption("err");
	is((await first.locator(".bd-text").allInnerTexts()).join(), "oops", "stderr can be shown alone");
	await first.getByRole("combobox").selectOption("both");
	await first.getByPlaceholder("Find in the output").fill("green");
	await until(() => first.locator(".ansi-green-fg").isVisible(), "colours are shown");
	await first.getByPlaceholder("Find in the output").fill("");
	const saved = page.waitForEvent("download");
	await first.getByRole("button", { name: "Download" }).click();
	const chunks = [];
	for await (const chunk of await (await saved).createReadStream()) chunks.push(chunk);
	like(Buffer.concat(chunks).toString(), /green\n(?:oops\n)?1\n2\n3\n[^]*\n300\n/,
		"an output can be saved as a file");
	await shot(page, "onsembl-output");

	// ---- a command that is cancelled ----

	await page.getByRole("checkbox", { name: /builder/ }).uncheck();
	await run("echo begun; sleep 600");
	await until(() => pane("sleep 600").getByText("begun", { exact: true }).isVisible(),
		"output is shown while its command runs");
	await pane("sleep 600").getByRole("button", { name: "Cancel" }).click();
	await until(() => pane("sleep 600").getByText("cancelled").isVisible(), "a command can be cancelled");

	// ---- a question ----

	await page.getByRole("checkbox", { name: /laptop/ }).uncheck();
	await page.getByRole("checkbox", { name: /tester/ }).check();
	await run("ask Which colour?|red|green");
	await until(() => page.getByRole("group", { name: /Which colour/ }).isVisible(),
		"a question of an agent is shown as one");
	await checkAccess(page, "a question of an agent");
	await page.getByRole("button", { name: "green", exact: true }).click();
	await until(() => pane("ask Which colour").getByText("You answered: green").isVisible(),
		"an answer goes to the agent");

	await run("approve rm");
	const group = page.getByRole("group", { name: /May it run rm\?/ });
	await until(() => group.isVisible(), "a question for approval names its tool");
	await group.getByRole("button", { name: "Allow once" }).click();
	await until(() => pane("approve rm").getByText("rm was approved and ran.").isVisible(),
		"an approval goes to the agent");

	// ---- a worker that dies ----

	await page.getByRole("checkbox", { name: /tester/ }).uncheck();
	await page.getByRole("checkbox", { name: /laptop/ }).check();
	await run("for i in $(seq 1 60); do echo step $i; sleep 0.05; done");
	await until(() => pane("seq 1 60").getByText("step 5", { exact: true }).isVisible(),
		"a long command writes");
	await tell("kill_workers");
	await until(() => pane("seq 1 60").getByText("done", { exact: true }).isVisible(),
		"a command goes on while all workers are killed");
	const whole = page.waitForEvent("download");
	await pane("seq 1 60").getByRole("button", { name: "Download" }).click();
	const steps = [];
	for await (const chunk of await (await whole).createReadStream()) steps.push(chunk);
	is(Buffer.concat(steps).toString(), Array.from({ length: 60 }, (_, i) => `step ${i + 1}\n`).join(""),
		"no line is lost or doubled when workers die");

	// ---- a program that wants in ----

	const { pathname, search } = new URL(await tell("login"));
	await page.goto(new URL(pathname + search, url).href);
	await until(() => page.getByRole("dialog", { name: "Let a program in" }).isVisible(),
		"the link of a program leads to the question whether it may come in");
	await checkAccess(page, "the question whether a program may come in");
	await page.getByRole("button", { name: "Let it in" }).click();
	await until(() => page.getByText("Done: the program is let in.").isVisible(), "a program is let in");

	// ---- what ran before, after a reload ----

	await page.goto(new URL("/dashboard", url).href);
	await until(() => page.getByRole("button", { name: /seq 1 60/ }).isVisible(),
		"a page that is loaded again knows earlier commands");
	await page.getByRole("button", { name: /seq 1 60/ }).click();
	await until(() => pane("seq 1 60").getByText("60 lines").isVisible(),
		"what an earlier command wrote is fetched");

	// ---- the emergency stop ----

	await page.getByRole("checkbox", { name: /laptop/ }).check();
	await run("echo endless; sleep 601");
	await until(() => pane("sleep 601").getByText("endless", { exact: true }).isVisible(), "another command runs");
	await page.getByRole("button", { name: "Emergency stop" }).click();
	const dialog = page.getByRole("dialog");
	await until(() => dialog.getByText(/tells 2 agents to stop/).isVisible(),
		"the emergency stop says whom it will hit");
	await shot(page, "onsembl-stop");
	await checkAccess(page, "the dialog of the emergency stop");
	const hold = dialog.getByRole("button", { name: /Hold/ });
	await hold.hover();
	await page.mouse.down();
	await page.mouse.up();
	ok(await dialog.isVisible(), "a short press does not stop anything");
	await page.mouse.down();
	await until(() => page.getByText(/^Stopped: 2 agents/).isVisible(), "a long press stops everything");
	await page.mouse.up();
	await until(() => pane("sleep 601").getByText("cancelled").isVisible(),
		"the emergency stop cancels a command");

	// ---- a phone ----

	const phone = await visitor("the command centre on a phone", { ...PHONE, colorScheme: "dark" });
	const small = await phone.open("/dashboard");
	await small.getByLabel("Token", { exact: true }).fill(token);
	await small.getByRole("button", { name: "Sign in" }).click();
	await until(() => small.getByLabel("What should they do?").isVisible(), "a phone gets the command centre");
	await until(() => small.getByText("Earlier commands").isVisible(), "a phone has the earlier commands");
	is(await small.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true,
		"the command centre does not scroll sideways on a phone");
	await shot(small, "onsembl-phone");
});
