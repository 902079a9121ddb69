// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
import { useEffect, useState } from "preact/hooks";
import { model } from "./model.js";

/**
 * A view whose file is loaded when it is first shown.
 *
 * @param {function(): Promise<object>} load import() of its file
 * @param {string} name of the export
 * @returns {Function} a component; nothing is shown until the file is there
 */
export function lazy(load, name) {
	let Found = null;
	return function Lazy(props) {
		const [View, setView] = useState(() => Found);
		useEffect(() => {
			if (View) return;
			load().then((file) => {
				Found = file[name];
				setView(() => Found);
			}, (e) => { model.crash.value = e.message; });
		}, []);
		return View ? <View {...props} /> : null;
	};
}
