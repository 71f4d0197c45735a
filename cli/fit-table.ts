/** A table no wider than the terminal: columns that matter less are left out where there is no room. */
import { formatTable, numbers, widthOf } from './format.js';

export interface FitColumn<Row> {
  readonly title: string;
  readonly isNumber?: boolean;
  /** Left out where there is no room, the greatest first; missing: never. */
  readonly leftOut?: number;
  cell(row: Row): string;
}

/** @param width columns of the terminal; undefined: it goes elsewhere, where nothing is left out */
export function fitTable<Row>(all: readonly FitColumn<Row>[], rows: readonly Row[], width: number | undefined): string {
  return fitColumns(all, rows, width).table;
}

/** As `fitTable`. @returns also the titles of what is left out, in their order */
export function fitColumns<Row>(
  all: readonly FitColumn<Row>[],
  rows: readonly Row[],
  width: number | undefined,
): { readonly table: string; readonly leftOut: readonly string[] } {
  let columns = all;
  for (;;) {
    const table = formatTable(
      columns.map(({ title, isNumber }) => (isNumber === true ? numbers(title) : title)),
      rows.map((row) => columns.map(({ cell }) => cell(row))),
    );
    const least = Math.max(...columns.map(({ leftOut }) => leftOut ?? 0));
    if (least === 0 || width === undefined || table.split('\n').every((line) => widthOf(line) <= width)) {
      return { table, leftOut: all.filter((column) => !columns.includes(column)).map(({ title }) => title) };
    }
    columns = columns.filter(({ leftOut }) => leftOut !== least);
  }
}
