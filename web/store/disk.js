// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// What the browser keeps for the page, in tables of keys and values: IndexedDB, or this tab's
// memory where that is forbidden or full. Nothing here is the only copy of something, except
// drafts and inputs that were not sent yet.

const NAME = "co-hostd";
const VERSION = 1;
/** identity: of this browser; rows: the last ones of sessions; the rest by its name. */
const TABLES = ["identity", "rows", "unsent", "drafts", "prefs", "deletes"];
const OPEN_MS = 3000;

const promised = (request) => new Promise((resolve, reject) => {
	request.onsuccess = () => resolve(request.result);
	request.onerror = () => reject(request.error);
});

/** Tables in memory. */
export class MemoryTables {
	#tables = new Map(TABLES.map((name) => [name, new Map()]));

	async get(table, key) { return this.#tables.get(table).get(key); }
	async put(table, key, value) { this.#tables.get(table).set(key, value); }
	async remove(table, key) { this.#tables.get(table).delete(key); }

	async putNew(table, key, value) {
		const there = this.#tables.get(table);
		if (!there.has(key)) there.set(key, value);
		return there.get(key);
	}

	async entries(table) { return [...this.#tables.get(table)]; }
}

/** Tables in IndexedDB. */
class IndexedTables {
	#db;

	/** @param {IDBDatabase} db */
	constructor(db) {
		this.#db = db;
	}

	/**
	 * Open them.
	 * @param {IDBFactory} indexedDB
	 * @returns {Promise<IndexedTables>} fails if it is forbidden, or does not open in 3 s
	 */
	static open(indexedDB) {
		return new Promise((resolve, reject) => {
			const request = indexedDB.open(NAME, VERSION);
			const timer = setTimeout(() => reject(new Error("IndexedDB does not open")), OPEN_MS);
			request.onupgradeneeded = () => {
				const { result } = request;
				for (const table of TABLES)
					if (!result.objectStoreNames.contains(table)) result.createObjectStore(table);
			};
			promised(request).then((db) => {
				// Another tab has a newer page and wants another form.
				db.onversionchange = () => db.close();
				resolve(new IndexedTables(db));
			}, reject).finally(() => clearTimeout(timer));
		});
	}

	#store(table, mode) {
		return this.#db.transaction(table, mode).objectStore(table);
	}

	get(table, key) {
		return promised(this.#store(table, "readonly").get(key));
	}

	// A full disk is told by the transaction's end.
	#write(table, act) {
		return new Promise((resolve, reject) => {
			const transaction = this.#db.transaction(table, "readwrite");
			transaction.oncomplete = () => resolve();
			transaction.onabort = () => reject(transaction.error ?? new Error("it was aborted"));
			act(transaction.objectStore(table));
		});
	}

	put(table, key, value) {
		return this.#write(table, (store) => store.put(value, key));
	}

	async putNew(table, key, value) {
		let there = value;
		await this.#write(table, (store) => {
			const request = store.get(key);
			request.onsuccess = () => {
				if (request.result === undefined) store.put(value, key);
				else there = request.result;
			};
		});
		return there;
	}

	remove(table, key) {
		return this.#write(table, (store) => store.delete(key));
	}

	async entries(table) {
		const store = this.#store(table, "readonly");
		const [keys, values] = await Promise.all([promised(store.getAllKeys()),
			promised(store.getAll())]);
		return keys.map((key, i) => [key, values[i]]);
	}
}

/** Tables that never fail: what cannot be kept is remembered until the tab is closed. */
export class Disk {
	#kept;
	#memory = new MemoryTables();
	#onLost;

	/**
	 * @param {object|null} kept tables that may fail; null: there are none
	 * @param {function(): void} [onLost] called once, when something cannot be kept
	 */
	constructor(kept, onLost = () => {}) {
		this.#kept = kept;
		this.#onLost = onLost;
		if (!kept) queueMicrotask(onLost);
	}

	/** Whether things are kept beyond this tab. @returns {boolean} */
	get isKept() {
		return this.#kept !== null;
	}

	/** @param {string} table @param {string} key @returns {Promise<*>} or undefined */
	async get(table, key) {
		const here = await this.#memory.get(table, key);
		return here === undefined ? this.#try((kept) => kept.get(table, key)) : here;
	}

	/** @param {string} table @param {string} key @returns {Promise<void>} */
	async put(table, key, value) {
		if (this.#kept) {
			try {
				await this.#kept.put(table, key, value);
				return await this.#memory.remove(table, key);
			} catch (e) {
				if (await this.#makeRoom(e, table, key)) return this.put(table, key, value);
				this.#lose(e);
			}
		}
		return this.#memory.put(table, key, value);
	}

	/**
	 * Put a value where there is none.
	 * @param {string} table
	 * @param {string} key
	 * @param {*} value
	 * @returns {Promise<*>} the one that is there now
	 */
	async putNew(table, key, value) {
		return await this.#try((kept) => kept.putNew(table, key, value))
			?? this.#memory.putNew(table, key, value);
	}

	/** @param {string} table @param {string} key @returns {Promise<void>} */
	async remove(table, key) {
		await this.#memory.remove(table, key);
		await this.#try((kept) => kept.remove(table, key));
	}

	/** @param {string} table @returns {Promise<[string, *][]>} keys and values */
	async entries(table) {
		const kept = await this.#try((tables) => tables.entries(table)) ?? [];
		return [...new Map([...kept, ...await this.#memory.entries(table)])];
	}

	// A full disk: the rows of the session that was not used for the longest time go, since a
	// server has them.
	async #makeRoom(error, table, key) {
		if (error?.name !== "QuotaExceededError") return false;
		const rows = await this.#try((kept) => kept.entries("rows")) ?? [];
		const others = rows.filter(([name]) => table !== "rows" || name !== key);
		const [oldest] = others.sort(([, a], [, b]) => (a.touched ?? 0) - (b.touched ?? 0));
		if (!oldest) return false;
		await this.#try((kept) => kept.remove("rows", oldest[0]));
		return this.#kept !== null;
	}

	async #try(act) {
		if (!this.#kept) return undefined;
		try {
			return await act(this.#kept);
		} catch (e) {
			return this.#lose(e);
		}
	}

	// Full is not broken: what is there stays readable.
	#lose(error) {
		const onLost = this.#onLost;
		this.#onLost = () => {};
		if (error?.name !== "QuotaExceededError") this.#kept = null;
		onLost();
	}
}

/**
 * Open what this browser keeps.
 * @param {{indexedDB?: IDBFactory, onLost?: function(): void}} [o]
 * @returns {Promise<Disk>} never fails
 */
export async function openDisk({ indexedDB, onLost } = {}) {
	try {
		return new Disk(await IndexedTables.open(indexedDB ?? globalThis.indexedDB), onLost);
	} catch {
		return new Disk(null, onLost);
	}
}
