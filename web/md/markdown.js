// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// Markdown as one file, which is loaded when the first text of an agent is shown.
export { lexer } from "./lex.js";
export { finish, nodesOf } from "./nodes.js";
