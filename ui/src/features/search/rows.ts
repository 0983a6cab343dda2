// Where tiles stand: sections cut into rows, which rows are on screen, and where an arrow leads. Pixels in, places out; so a thousand tiles need only those on screen.

export type Arrow = 'ArrowUp' | 'ArrowDown' | 'ArrowLeft' | 'ArrowRight' | 'PageUp' | 'PageDown' | 'Home' | 'End';

/** Sizes in pixels. */
export interface Sizes {
  /** Height of a section's title, with the space below it. */
  title: number;
  /** Height of a row of tiles. */
  tile: number;
  /** Space between rows and between columns. */
  gap: number;
  /** Space between sections. */
  between: number;
}

/** A row of tiles. `from` and `to` are places among all entries, `to` excluded. */
export interface Row {
  section: number;
  from: number;
  to: number;
  /** From the top of its section. */
  top: number;
}

/** A section: its title and its rows. */
export interface Block {
  section: number;
  /** From the top of the list. */
  top: number;
  height: number;
  rows: Row[];
}

export interface Plan {
  blocks: Block[];
  rows: Row[];
  height: number;
  columns: number;
}

/** How many columns of at least `least` pixels fit; at least one. */
export function columnsIn(width: number, least: number, gap: number): number {
  return Math.max(1, Math.floor((width + gap) / (least + gap)));
}

/** Cuts sections of these lengths into rows. */
export function plan(lengths: readonly number[], columns: number, sizes: Sizes): Plan {
  const blocks: Block[] = [];
  let top = 0;
  let place = 0;
  lengths.forEach((length, section) => {
    const rows: Row[] = [];
    for (let at = 0; at < length; at += columns) {
      const from = place + at;
      rows.push({
        section, from, to: place + Math.min(length, at + columns),
        top: sizes.title + rows.length * (sizes.tile + sizes.gap),
      });
    }
    place += length;
    const height = sizes.title + rows.length * (sizes.tile + sizes.gap);
    blocks.push({ section, top, height, rows });
    top += height + sizes.between;
  });
  return { blocks, rows: blocks.flatMap((block) => block.rows), height: Math.max(0, top - sizes.between), columns };
}

/** The sections and rows that touch the window from `top`, `height` high, and a little more each way. */
export function onScreen(whole: Plan, sizes: Sizes, top: number, height: number, more: number): Block[] {
  const [from, to] = [top - more, top + height + more];
  return whole.blocks
    .filter((block) => block.top < to && block.top + block.height > from)
    .map((block) => ({
      ...block,
      rows: block.rows.filter((row) => block.top + row.top < to && block.top + row.top + sizes.tile > from),
    }));
}

/** The first `most` rows of a list, and of the list before it what stands below them: nobody sees that, and it is written anew a moment later. */
export function firstOf<B extends { section: number; rows: readonly { from: number }[] }>(now: readonly B[], before: readonly B[], most: number): B[] {
  const [first] = now;
  if (first?.section !== 0) return [...now];
  const rows = first.rows.slice(0, most);
  const below = rows.at(-1)?.from ?? -1;
  const old = before.find((block) => block.section === 0)?.rows.filter((row) => row.from > below) ?? [];
  return [{ ...first, rows: [...rows, ...old] }, ...before.filter((block) => block.section > 0)];
}

/** Where a place stands in the list, pixels from its top; null when it is none. */
export function spotOf(whole: Plan, place: number): number | null {
  for (const block of whole.blocks) {
    const row = block.rows.find((one) => one.from <= place && place < one.to);
    if (row !== undefined) return block.top + row.top;
  }
  return null;
}

/** The place an arrow leads to; the same at the edge. `at` is -1 when nothing is highlighted; `page` is in rows. */
export function step(whole: Plan, at: number, arrow: Arrow, page = 1): number {
  const last = (whole.rows.at(-1)?.to ?? 0) - 1;
  if (last < 0) return -1;
  if (arrow === 'Home') return 0;
  if (arrow === 'End') return last;
  const here = whole.rows.findIndex((row) => row.from <= at && at < row.to);
  const row = whole.rows[here];
  if (row === undefined) return arrow === 'ArrowUp' || arrow === 'PageUp' ? last : 0;
  if (arrow === 'ArrowRight') return Math.min(at + 1, last);
  if (arrow === 'ArrowLeft') return Math.max(at - 1, 0);
  const down = arrow === 'ArrowDown' || arrow === 'PageDown';
  const rows = arrow === 'PageUp' || arrow === 'PageDown' ? Math.max(1, page) : 1;
  const there = whole.rows[Math.min(whole.rows.length - 1, Math.max(0, here + (down ? rows : -rows)))];
  // Where all results stand in one row, down is still to the next one.
  if (arrow === 'ArrowDown' && here === whole.rows.length - 1) return Math.min(at + 1, last);
  if (arrow === 'ArrowUp' && here === 0) return Math.max(at - 1, 0);
  if (there === undefined || there === row) return at;
  return Math.min(there.from + (at - row.from), there.to - 1);
}
