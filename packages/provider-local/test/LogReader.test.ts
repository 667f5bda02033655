import { assert, describe, it } from "@effect/vitest"
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Position, readLines } from "../src/supervisor/instance/LogReader.ts"

const within = (body: (file: string) => void): void => {
  const directory = mkdtempSync(join(tmpdir(), "signalbox-reader-"))
  try {
    body(join(directory, "log"))
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

const start: Position = { inode: -1, offset: 0 }

/** Reads page by page to the end. */
const all = (file: string, limit: number, from: Position = start) => {
  const found: Array<string> = []
  let after = from
  for (;;) {
    const { lines, position } = readLines(file, { after, limit, ended: false })
    if (lines.length === 0) return { found, after }
    found.push(...lines)
    after = position!
  }
}

describe("a reader of logs", () => {
  it("reads each line once, in order, over many pages and two files", () =>
    within((file) => {
      const numbered = (from: number, to: number) =>
        Array.from({ length: to - from }, (_, at) => `line ${from + at} ${"ä".repeat(40)}`)
      const first = numbered(0, 20_000)
      writeFileSync(file, `${first.join("\n")}\n`)
      const { after, found } = all(file, 777)
      assert.deepStrictEqual(found, first)
      const second = numbered(20_000, 30_000)
      appendFileSync(file, `${second.slice(0, 10).join("\n")}\n`)
      renameSync(file, `${file}.1`)
      writeFileSync(file, `${second.slice(10).join("\n")}\n`)
      assert.deepStrictEqual(all(file, 777, after).found, second)
      const { lines } = readLines(file, { after: undefined, limit: 3, ended: false })
      assert.deepStrictEqual(lines, second.slice(-3))
    }))

  it("reads a line that is longer than it reads at once in parts, and loses none of it", () =>
    within((file) => {
      const long = "x".repeat(2_500_000)
      writeFileSync(file, `first\n${long}\nlast\n`)
      const { found } = all(file, 10)
      assert.deepStrictEqual([found[0], found.at(-1)], ["first", "last"])
      assert.strictEqual(found.slice(1, -1).join(""), long)
    }))

  it("finds nothing where there is no file, and begins at its start once there is one", () =>
    within((file) => {
      const { lines, position } = readLines(file, { after: undefined, limit: 10, ended: false })
      assert.deepStrictEqual([lines, position], [[], undefined])
      writeFileSync(file, "one\n")
      assert.deepStrictEqual(all(file, 10).found, ["one"])
    }))
})
