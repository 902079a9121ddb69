// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// The address of the command centre, on a server that does not speak Onsembl.
import { story } from "../test/story.mjs";

await story(async ({ open, until, checkAccess, allow }) => {
	// The browser tells of the refused socket and of the missing path.
	allow(/WebSocket|404/);
	const page = await open("/agents");
	await until(() => page.getByRole("heading", { name: "This server does not speak Onsembl" }).isVisible(),
		"a server without Onsembl says so, and which line changes it");
	await checkAccess(page, "the page of a server without Onsembl");
});
