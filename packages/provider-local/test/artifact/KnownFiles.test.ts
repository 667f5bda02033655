import { assert, describe, it } from "@effect/vitest"
import type { Stats } from "node:fs"
import { KnownFiles } from "../../src/artifact/KnownFiles.ts"

const changedAt = 1_700_000_000_000
const stats = { size: 3, ino: 7, dev: 1, mtimeMs: changedAt, ctimeMs: changedAt } as Stats

/** Reads a file once, and looks for it in the next walk. */
const known = (root: string, readAt: number, now: Partial<Stats>) => {
  const first = new KnownFiles(root)
  first.learn("file", stats, readAt, "digest")
  first.keep()
  return new KnownFiles(root).digestOf("file", { ...stats, ...now } as Stats)
}

describe("files that were read before", () => {
  it("are known while nothing about them has changed", () => {
    assert.strictEqual(known("/same", changedAt + 5_000, {}), "digest")
  })

  it("are read again where anything about them has changed, its time of modification set back or not", () => {
    for (const now of [{ size: 4 }, { ino: 8 }, { dev: 2 }, { mtimeMs: changedAt - 1 }, { ctimeMs: changedAt + 1 }]) {
      assert.isUndefined(known("/changed", changedAt + 5_000, now), JSON.stringify(now))
    }
  })

  it("are read again if they were changed right before they were read: the next change may leave no trace", () => {
    assert.isUndefined(known("/racy", changedAt + 1_000, {}))
    assert.isUndefined(known("/future", changedAt - 60_000, {}))
  })

  it("are forgotten with the folder that was walked least recently", () => {
    for (const root of ["/a", "/b", "/c", "/d"]) known(root, changedAt + 5_000, {})
    assert.strictEqual(new KnownFiles("/a").digestOf("file", stats), "digest")
    known("/e", changedAt + 5_000, {})
    assert.isUndefined(new KnownFiles("/a").digestOf("file", stats))
    assert.strictEqual(new KnownFiles("/b").digestOf("file", stats), "digest")
  })
})
