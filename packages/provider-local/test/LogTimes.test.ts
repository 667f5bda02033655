import { assert, describe, it } from "@effect/vitest"
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { readLines } from "../src/supervisor/instance/LogReader.ts"
import { LogTimes, readTimes, writeTimes } from "../src/supervisor/instance/LogTimes.ts"

const within = (body: (file: string) => void): void => {
  const directory = mkdtempSync(join(tmpdir(), "signalbox-times-"))
  try {
    body(join(directory, "log"))
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Appends lines that are written at a time. */
const say = (file: string, at: number, ...lines: ReadonlyArray<string>): void => {
  appendFileSync(file, lines.map((line) => `${line}\n`).join(""))
  utimesSync(file, at / 1000, at / 1000)
}

const timed = (file: string): ReadonlyArray<readonly [string, number | null]> => {
  const { ends, lines } = readLines(file, { after: { inode: -1, offset: 0 }, limit: Infinity, ended: true })
  const at = readTimes(file)
  return lines.map((line, index) => [line, at(ends[index]!)])
}

const noon = Date.UTC(2026, 10, 29, 12)

describe("the times of log lines", () => {
  it("are known over two files, except for lines that came while nothing looked", () =>
    within((file) => {
      say(file, noon, "before")
      const times = new LogTimes(file)
      times.look()
      say(file, noon + 1000, "one", "two")
      times.look()
      say(file, noon + 2000, "three")
      renameSync(file, `${file}.1`)
      writeFileSync(file, "")
      say(file, noon + 3000, "four")
      times.look()
      const expected = [
        ["before", null],
        ["one", noon + 1000],
        ["two", noon + 1000],
        ["three", noon + 2000],
        ["four", noon + 3000]
      ] as const
      assert.deepStrictEqual(timed(file), expected)
      say(file, noon + 4000, "not looked at")
      assert.deepStrictEqual(timed(file).at(-1), ["not looked at", null])
      const next = new LogTimes(file)
      next.look()
      say(file, noon + 5000, "five")
      next.look()
      assert.deepStrictEqual(timed(file), [...expected, ["not looked at", null], ["five", noon + 5000]])
    }))

  it("forget files that are gone, even if the system uses their number again", () =>
    within((file) => {
      const times = new LogTimes(file)
      times.look()
      say(file, noon, "a long line of the first file")
      times.look()
      // What a new file with the old number looks like.
      writeFileSync(file, "")
      say(file, noon + 1000, "short")
      times.look()
      assert.deepStrictEqual(timed(file), [["short", noon + 1000]])
      rmSync(file)
      times.look()
      assert.strictEqual(readFileSync(`${file}.times`, "utf8"), "")
    }))

  it("stay few, and a line never gets an earlier time than its own", () =>
    within((file) => {
      const times = new LogTimes(file)
      times.look()
      const count = 12_000
      for (let n = 0; n < count; n++) {
        say(file, noon + n * 1000, `line ${n}`)
        times.look()
      }
      const notes = readFileSync(`${file}.times`, "utf8").trimEnd().split("\n")
      assert.isAtMost(notes.length, 5000)
      const late = timed(file).map(([, at], n) => (at! - noon) / 1000 - n)
      assert.isTrue(late.every((seconds) => seconds >= 0 && seconds < 16))
      assert.strictEqual(late.at(-1), 0)
    }))

  it("survive a note that was cut short, and a copy of the log keeps them", () =>
    within((file) => {
      const times = new LogTimes(file)
      times.look()
      say(file, noon, "one")
      times.look()
      appendFileSync(`${file}.times`, "[12")
      say(file, noon + 1000, "two")
      times.look()
      say(file, noon + 2000, "three")
      times.look()
      assert.deepStrictEqual(timed(file), [
        ["one", noon],
        ["two", noon + 2000],
        ["three", noon + 2000]
      ])
      const copy = `${file}-copy`
      const lines = timed(file).map(([text, at]) => ({ text, at }))
      writeFileSync(copy, lines.map(({ text }) => `${text}\n`).join(""))
      writeTimes(copy, lines)
      assert.deepStrictEqual(timed(copy), timed(file))
      times.delete()
      times.look()
      assert.isFalse(existsSync(`${file}.times`))
    }))
})
