// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// A map that stays as it is: a change gives another one, which shares what did not change.
// With 10,000 keys a change costs microseconds, where a copy of a Map costs a millisecond.

const N = 128;

function bucketOf(key) {
	let hash = 0;
	for (let i = 0; i < key.length; i++) hash = (Math.imul(hash, 31) + key.charCodeAt(i)) | 0;
	return (hash ^ (hash >>> 15)) & (N - 1);
}

export class KeyMap {
	#buckets;

	/** @param {(Map|undefined)[]} [buckets] only KeyMap itself gives them */
	constructor(buckets = new Array(N).fill(undefined)) {
		this.#buckets = buckets;
	}

	/** The value of a key, or undefined. @param {string} key */
	get(key) {
		return this.#buckets[bucketOf(key)]?.get(key);
	}

	/** A map with another value of a key. @param {string} key @returns {KeyMap} */
	with(key, value) {
		const b = bucketOf(key);
		return this.#with(b, new Map(this.#buckets[b]).set(key, value));
	}

	/** A map without a key. @param {string} key @returns {KeyMap} */
	without(key) {
		const b = bucketOf(key);
		if (!this.#buckets[b]?.has(key)) return this;
		const bucket = new Map(this.#buckets[b]);
		bucket.delete(key);
		return this.#with(b, bucket);
	}

	/** All keys, in no order. @returns {string[]} */
	keys() {
		return this.#buckets.flatMap((bucket) => (bucket ? [...bucket.keys()] : []));
	}

	#with(b, bucket) {
		const buckets = this.#buckets.slice();
		buckets[b] = bucket;
		return new KeyMap(buckets);
	}
}

/** A map without keys. */
export const NO_KEYS = new KeyMap();
