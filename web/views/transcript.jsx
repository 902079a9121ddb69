// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// The transcript: pages of items, of which those near the view are in the document. It stays
// at the end while the reader is there, and never moves otherwise.
import { Component } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { duration } from "./format.js";
import { isStep, Item, keyOf, Run, Unsent } from "./items.jsx";
import { loadMarkdown } from "./markdown.jsx";
import { model } from "./model.js";
import { Dot, Icon, useTick } from "./parts.jsx";
import { t } from "./strings.js";

// Up to so many pages, all stay, so that the browser's search finds everything.
const PAGES_ALL = 20;
const NEAR_PX = 1500;
// The height of an item that was never shown, about.
const ITEM_PX = 48;
const AT_END_PX = 60;
// Of the steps of a running turn, so many are shown; those before are one line.
const LIVE_STEPS = 3;
const RUN_MIN = 3;

const isFinished = (item) => isStep(item) && item.status !== "running";

// Items with runs of finished steps folded: an array of items and of {run: items}. The last
// steps of a running turn stay, so that one sees what happens.
function folded(items, isLive) {
	const all = [];
	for (let i = 0; i < items.length;) {
		let end = i;
		while (end < items.length && isFinished(items[end])) end++;
		if (end === i) {
			all.push(items[i++]);
			continue;
		}
		const isTail = isLive && items.slice(end).every(isStep);
		const cut = isTail ? Math.max(i, end - LIVE_STEPS) : end;
		if (cut - i >= RUN_MIN) all.push({ run: items.slice(i, cut), key: `run-${keyOf(items[i])}` });
		else all.push(...items.slice(i, cut));
		all.push(...items.slice(cut, end));
		i = end;
	}
	return all;
}

class StillItem extends Component {
	shouldComponentUpdate({ item }) {
		return item !== this.props.item;
	}

	render({ item }) {
		return <Item item={item} />;
	}
}

class StillRun extends Component {
	shouldComponentUpdate({ items }) {
		return items.length !== this.props.items.length ||
			items.some((item, i) => item !== this.props.items[i]);
	}

	render({ items }) {
		return <Run items={items} />;
	}
}

// One page. It keeps its height while its items are out of the document.
class Page extends Component {
	state = { isNear: this.props.isAlways };
	height = ITEM_PX * this.props.items.length;
	hold = (node) => { this.node = node ?? this.node; };

	shouldComponentUpdate({ items, isLive, isAlways }, { isNear }) {
		const is = this.props;
		return items !== is.items || isLive !== is.isLive || isAlways !== is.isAlways ||
			isNear !== this.state.isNear;
	}

	componentDidMount() {
		const { node } = this;
		node.onNear = (isNear) => {
			if (!isNear) this.height = node.offsetHeight || this.height;
			this.setState({ isNear });
		};
		this.props.observer.observe(node);
	}

	componentWillUnmount() {
		this.props.observer.unobserve(this.node);
	}

	render({ items, isLive, isAlways }, { isNear }) {
		if (!isAlways && !isNear)
			return <div class="page" ref={this.hold} style={{ height: `${this.height}px` }} />;
		return (
			<div class="page" ref={this.hold} style={{ height: "" }}>
				{folded(items, isLive).map((one) => one.run
					? <StillRun key={one.key} items={one.run} />
					: <StillItem key={keyOf(one)} item={one} />)}
			</div>
		);
	}
}

const keyOfPage = (items) => items?.[0] && keyOf(items[0]);

function useNearObserver(scroller) {
	const observer = useRef();
	observer.current ??= new IntersectionObserver((entries) => {
		for (const { target, isIntersecting } of entries) target.onNear?.(isIntersecting);
	}, { root: scroller.current, rootMargin: `${NEAR_PX}px` });
	useEffect(() => () => observer.current.disconnect(), []);
	return observer.current;
}

// Stay at the end while the reader is there. Returns [isAtEnd, toEnd].
function useEnd(scroller, inner) {
	const [isAtEnd, setAtEnd] = useState(true);
	const at = useRef({ isAtEnd: true, top: 0 });
	const set = (value) => {
		at.current.isAtEnd = value;
		setAtEnd(value);
	};
	const toEnd = () => {
		// The transcript of a chat that was left: the next one may have none yet.
		if (!scroller.current) return;
		set(true);
		scroller.current.scrollTop = scroller.current.scrollHeight;
	};
	useLayoutEffect(() => {
		const box = scroller.current;
		const onScroll = () => {
			const left = box.scrollHeight - box.scrollTop - box.clientHeight;
			// Only a move upwards leaves the end: growing content also changes "left".
			if (left < AT_END_PX) set(true);
			else if (box.scrollTop < at.current.top - 1) set(false);
			at.current.top = box.scrollTop;
		};
		const watch = new ResizeObserver(() => {
			if (at.current.isAtEnd) box.scrollTop = box.scrollHeight;
		});
		box.addEventListener("scroll", onScroll, { passive: true });
		watch.observe(inner.current);
		watch.observe(box);
		return () => {
			box.removeEventListener("scroll", onScroll);
			watch.disconnect();
		};
	}, []);
	return [isAtEnd, toEnd];
}

// Older rows come when the reader nears the beginning; what one reads stays where it is. An
// observer tells of changes only: each page of rows has one of its own, since what came may
// be too little to move the beginning out of sight; and each phase of the connection, since
// nothing comes before it is ready.
function Older({ chat, scroller }) {
	const mark = useRef();
	useEffect(() => {
		const watch = new IntersectionObserver(([entry]) => {
			if (entry.isIntersecting) chat.older();
		}, { root: scroller.current, rootMargin: "800px" });
		watch.observe(mark.current);
		return () => watch.disconnect();
	}, [chat]);
	return <p class="divider" ref={mark}>{t("item.older")}</p>;
}

function useAnchor(scroller, firstKey) {
	const known = useRef();
	const before = useRef();
	// Reading the layout costs, so it is read only when rows came before the others.
	if (known.current !== firstKey && scroller.current) {
		const { scrollHeight, scrollTop } = scroller.current;
		before.current = { height: scrollHeight, top: scrollTop };
	}
	useLayoutEffect(() => {
		const node = scroller.current;
		const { height, top } = before.current ?? {};
		// Browsers that keep the place by themselves have moved scrollTop.
		if (known.current !== undefined && before.current && node.scrollTop === top)
			node.scrollTop = top + node.scrollHeight - height;
		known.current = firstKey;
	}, [firstKey]);
}

/** How long the turn runs. */
export function Since({ at }) {
	useTick(1000);
	return <span>{duration(Math.max(0, Date.now() - at))}</span>;
}

function Working({ turn }) {
	return (
		<div class="working">
			<Dot state="working" isPulsing />
			<span>{t("item.working")}</span>
			{turn.since > 0 && <Since at={turn.since} />}
		</div>
	);
}

function Pages({ chat, scroller }) {
	const observer = useNearObserver(scroller);
	const pages = chat.pages.value;
	const turn = chat.turn.value;
	useAnchor(scroller, keyOfPage(pages[0]));
	const isAlways = pages.length <= PAGES_ALL;
	return pages.map((items, i) => (
		<Page key={keyOfPage(items)} items={items} observer={observer}
			isAlways={isAlways || i === pages.length - 1}
			isLive={turn.isRunning && i === pages.length - 1} />
	));
}

// What came while the reader was elsewhere, and the way there.
function ToEnd({ chat, toEnd }) {
	const n = chat.pages.value.reduce((sum, page) => sum + page.length, 0);
	const [seen] = useState(n);
	return (
		<div class="end-button"><button type="button" class="new-steps" onClick={toEnd}>
			<Icon name="down" />
			{n > seen ? t("item.new", { n: n - seen }) : t("item.toEnd")}
		</button></div>
	);
}

/** @param {{chat: object}} props the open session */
export function Transcript({ chat }) {
	const scroller = useRef();
	const inner = useRef();
	const [isReady, setReady] = useState(false);
	useLayoutEffect(() => setReady(true), []);
	useEffect(loadMarkdown, []);
	const [isAtEnd, toEnd] = useEnd(scroller, inner);
	const state = chat.state.value;
	const turn = chat.turn.value;
	const isConnected = state.phase === "ready";
	model.toEnd = toEnd;
	return (
		<>
			<div class="scroll" ref={scroller} tabIndex={0} role="log" aria-live="off"
				aria-label={t("bar.sessions")}>
				<div class="measure transcript" ref={inner}>
					{isReady && chat.hasOlder.value && <Older chat={chat} scroller={scroller}
						key={`${state.phase} ${chat.first.value}`} />}
					{isReady && <Pages chat={chat} scroller={scroller} />}
					{state.unsent.map((input) => <Unsent key={input.id} input={input}
						isConnected={isConnected} onTakeBack={() => chat.takeBack(input)} />)}
					{turn.isRunning && !chat.question.value && <Working turn={turn} />}
				</div>
			</div>
			{!isAtEnd && <ToEnd chat={chat} toEnd={toEnd} />}
		</>
	);
}
