import type { Paint, Style } from "../host/color.ts"
import { cut, displayWidth, pad, wrap } from "./text.ts"
import { plain } from "./words.ts"

export interface Column<Row> {
  readonly title: string
  readonly cell: (row: Row) => string
  readonly style?: (row: Row) => Style | undefined
  /** Which columns are dropped first if the screen is too narrow: the highest. Columns without it stay. */
  readonly drop?: number
  /** The last column may continue on further lines instead of being cut. */
  readonly wrap?: boolean
}

const gap = 2
/** A wrapped column that is narrower than this is hard to read. */
const leastWrapped = 16

/** A table that drops its less important columns, then wraps or cuts the widest one, until it fits. */
export const table = <Row>(
  rows: ReadonlyArray<Row>,
  columns: ReadonlyArray<Column<Row>>,
  options: { readonly width: number; readonly paint: Paint }
): ReadonlyArray<string> => {
  const sized = columns.map((column) => {
    const cells = rows.map((row) => plain(column.cell(row)))
    return { column, cells, width: Math.max(...[column.title, ...cells].map(displayWidth)) }
  })
  const total = () => sized.reduce((sum, { width }) => sum + width + gap, -gap)
  while (total() > options.width) {
    const droppable = sized.filter(({ column }) => column.drop !== undefined)
    if (droppable.length === 0) break
    const first = droppable.reduce((left, right) => (right.column.drop! > left.column.drop! ? right : left))
    sized.splice(sized.indexOf(first), 1)
  }
  const last = sized.at(-1)!
  if (last.column.wrap === true && total() > options.width) {
    last.width = Math.max(leastWrapped, options.width - (total() - last.width))
  }
  while (total() > options.width) {
    const widest = sized.reduce((left, right) => (right.width > left.width ? right : left))
    if (widest.width <= 4) break
    widest.width -= 1
  }
  const line = (text: (index: number) => string, style: (index: number) => Style | undefined) =>
    sized
      .map(({ width }, index) => {
        const padded = pad(cut(text(index), width), index === sized.length - 1 ? 0 : width)
        const chosen = style(index)
        return chosen === undefined ? padded : options.paint(chosen, padded)
      })
      .join(" ".repeat(gap))
      .trimEnd()
  const body = (row: Row, at: number): ReadonlyArray<string> => {
    const [first = "", ...more] = last.column.wrap === true ? wrap(last.cells[at]!, last.width) : [last.cells[at]!]
    const indent = " ".repeat(total() - last.width)
    return [
      line(
        (index) => (index === sized.length - 1 ? first : sized[index]!.cells[at]!),
        (index) => sized[index]!.column.style?.(row)
      ),
      ...more.map((text) => `${indent}${cut(text, last.width)}`)
    ]
  }
  return [
    line(
      (index) => sized[index]!.column.title,
      () => "dim"
    ),
    ...rows.flatMap(body)
  ]
}
