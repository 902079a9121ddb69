// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// Items in the order of their places, in pages of at most 50. A page that changes is
// replaced, and the others stay the same arrays: what shows a page compares arrays.

/** The most items of a page. */
export const PAGE_ITEMS = 50;

// The last place in a sorted list that is not behind "at"; 0 if all are behind it.
function lastNotBehind(list, at, placeOf) {
	let [low, high] = [0, list.length - 1];
	while (low < high) {
		const middle = (low + high + 1) >> 1;
		if (placeOf(list[middle]) <= at) low = middle;
		else high = middle - 1;
	}
	return low;
}

const startOf = (page) => page[0].at;
const placeOf = (item) => item.at;

/** Changes of pages that are made together: each page is copied once. */
export class PagesDraft {
	#pages;
	#own = new Set();

	/** @param {object[][]} pages which stay as they are */
	constructor(pages) {
		this.#pages = pages.slice();
	}

	/** The pages as they are now. @returns {object[][]} */
	get pages() {
		return this.#pages;
	}

	#writable(i) {
		const page = this.#pages[i];
		if (this.#own.has(page)) return page;
		const copy = page.slice();
		this.#own.add(copy);
		this.#pages[i] = copy;
		return copy;
	}

	#add(i, page) {
		this.#own.add(page);
		this.#pages.splice(i, 0, page);
	}

	#find(at) {
		const p = lastNotBehind(this.#pages, at, startOf);
		return [p, lastNotBehind(this.#pages[p], at, placeOf)];
	}

	/** The item at a place that is taken. @param {number} at @returns {object} */
	at(at) {
		const [p, i] = this.#find(at);
		return this.#pages[p][i];
	}

	/** Put another item at the place of one. @param {object} item */
	replace(item) {
		const [p, i] = this.#find(item.at);
		this.#writable(p)[i] = item;
	}

	/** Take the item at a place away. @param {number} at */
	remove(at) {
		const [p, i] = this.#find(at);
		if (this.#pages[p].length === 1) this.#pages.splice(p, 1);
		else this.#writable(p).splice(i, 1);
	}

	/** Add an item at a place that is free. @param {object} item */
	insert(item) {
		if (!this.#pages.length) return this.#add(0, [item]);
		const [p, i] = this.#find(item.at);
		const { length } = this.#pages[p];
		const to = item.at < this.#pages[p][i].at ? i : i + 1;
		// A full page is left whole where that is possible: most items come at an end.
		if (length < PAGE_ITEMS) return void this.#writable(p).splice(to, 0, item);
		if (to === length) return this.#add(p + 1, [item]);
		if (to === 0) return this.#add(p, [item]);
		const page = this.#writable(p);
		this.#add(p + 1, page.splice(length / 2));
		return this.insert(item);
	}
}
