import { assert, describe, it } from "vitest"
import { Redraw } from "../src/live/Redraw.ts"

/** A terminal that knows just enough: line feed, up, carriage return, clear below; lines wrap at its width. */
const terminal = (columns: number) => {
  const rows: Array<string> = [""]
  let row = 0
  let hidden = false
  const put = (char: string) => {
    if ((rows[row] ?? "").length >= columns) row += 1
    rows[row] = `${rows[row] ?? ""}${char}`
  }
  const write = (text: string) => {
    // eslint-disable-next-line no-control-regex
    for (const [, up, below, cursor, feed, back, char] of text.matchAll(
      /\u001b\[(\d+)A|\u001b\[(J)|\u001b\[\?25([hl])|(\n)|(\r)|([^])/g
    )) {
      if (up !== undefined) row = Math.max(0, row - Number(up))
      else if (below !== undefined) rows.splice(row, rows.length, "")
      else if (cursor !== undefined) hidden = cursor === "l"
      else if (feed !== undefined) rows[++row] ??= ""
      else if (back === undefined && char !== undefined) put(char)
    }
  }
  return {
    sink: {
      isTTY: true,
      columns: () => columns,
      rows: () => 24,
      write,
      pass: () => undefined,
      onResize: () => () => undefined
    },
    get screen() {
      return rows.filter((line, index) => line !== "" || index < rows.length - 1)
    },
    get hidden() {
      return hidden
    }
  }
}

describe("Redraw", () => {
  it("replaces its own lines, keeps earlier ones, and restores the cursor", () => {
    const screen = terminal(80)
    screen.sink.write("before\n")
    const redraw = new Redraw(screen.sink)
    redraw.draw(["one", "two", "three"])
    assert.isTrue(screen.hidden)
    assert.strictEqual(Redraw.active, redraw)
    redraw.draw(["four"])
    assert.deepEqual(screen.screen, ["before", "four"])
    redraw.draw(["five", "six"])
    redraw.end()
    assert.deepEqual(screen.screen, ["before", "five", "six"])
    assert.isFalse(screen.hidden)
    assert.isUndefined(Redraw.active)
  })

  it("writes messages above the lines", () => {
    const screen = terminal(80)
    const redraw = new Redraw(screen.sink)
    redraw.draw(["one", "two"])
    redraw.above("stopping")
    redraw.draw(["three"])
    redraw.end()
    assert.deepEqual(screen.screen, ["stopping", "three"])
  })
})
