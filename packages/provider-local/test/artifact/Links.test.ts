import { assert, describe, it } from "@effect/vitest"
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { leavingLink } from "../../src/artifact/Links.ts"

const targets = [".", "..", "x", "l1/..", "l1/../..", "d/l2", "d/../..", "../x", "../d/./l2/..", "no/../..", "/etc"]

describe("links of an artifact", () => {
  it("leave it exactly where the file system follows them out of it", () => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), "signalbox-links-")))
    try {
      let followed = 0
      for (const [i, first] of targets.entries()) {
        for (const [j, second] of targets.entries()) {
          const root = join(folder, `${i}-${j}`)
          mkdirSync(join(root, "d"), { recursive: true })
          writeFileSync(join(root, "x"), "")
          const links = new Map([
            ["l1", first],
            ["d/l2", second]
          ])
          for (const [name, target] of links) symlinkSync(target, join(root, name))
          const leaves = [...links.keys()].map((name) => {
            try {
              const real = realpathSync(join(root, name))
              followed += 1
              return real !== root && !real.startsWith(`${root}/`)
            } catch {
              // It has no target, so the file system cannot say where it would lead.
              return undefined
            }
          })
          const refused = [...links.keys()].map(
            (name) => leavingLink(new Map([[name, links.get(name)!], ...links])) !== undefined
          )
          if (leaves.includes(true)) assert.isTrue(refused[0], `${first} ${second}`)
          if (leaves.every((out) => out === false)) assert.isFalse(refused[0], `${first} ${second}`)
        }
      }
      assert.isAbove(followed, 100)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it("leave it even if their target does not exist yet", () => {
    const through = new Map([
      ["here", "."],
      ["inner", "here/../other-release"]
    ])
    assert.strictEqual(leavingLink(through), "inner")
    assert.strictEqual(leavingLink(new Map([["later", "data/cache"]])), undefined)
    const round = new Map([
      ["a", "b"],
      ["b", "a"]
    ])
    assert.strictEqual(leavingLink(round), undefined)
  })
})
