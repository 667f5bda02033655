import type { Paint, Style } from "../host/color.ts"
import { cut, displayWidth, pad } from "./text.ts"
import { plain } from "./words.ts"

export interface Column<Row> {
  readonly title: string
  readonly cell: (row: Row) => string
  readonly style?: (row: Row) => Style | undefined
  /** Which columns go first where the screen is too narrow: the highest. Those without it stay. */
  readonly drop?: number
}

const gap = 2

/** A table that leaves out its less important columns, then cuts the widest one, until it fits. */
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
  while (total() > options.width) {
    const widest = sized.reduce((left, right) => (right.width > left.width ? right : left))
    if (widest.width <= 4) break
    widest.width -= 1
  }
  const line = (text: (index: number) => string, style: (index: number) => Style | undefined) =>
    cutLine(
      sized.map(({ width }, index) => {
        const padded = pad(cut(text(index), width), index === sized.length - 1 ? 0 : width)
        const chosen = style(index)
        return chosen === undefined ? padded : options.paint(chosen, padded)
      })
    )
  const cutLine = (cells: ReadonlyArray<string>) => cells.join(" ".repeat(gap)).trimEnd()
  return [
    line(
      (index) => sized[index]!.column.title,
      () => "dim"
    ),
    ...rows.map((row, at) =>
      line(
        (index) => sized[index]!.cells[at]!,
        (index) => sized[index]!.column.style?.(row)
      )
    )
  ]
}
