// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
import { render } from "preact";

render(<h1>co-hostd</h1>, document.getElementById("app"));
