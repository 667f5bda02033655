import { describe, expect, it } from "vitest"
import { pages } from "../../scripts/api.ts"
import { read } from "./repository.ts"

describe("docs/api", () => {
  const all = pages()

  it.each([...all.pages.keys()])(
    "%s.md is as its sources say (node_modules/.bin/node scripts/api.ts writes it again)",
    (page) => {
      expect(read(`docs/api/${page}.md`)).toBe(all.pages.get(page))
    }
  )

  it("has words for every public export", () => {
    expect(all.wordless).toEqual([])
  })

  it("knows namespaces, values with their types, and re-exports", () => {
    const config = all.pages.get("core-config")!
    expect(config).toContain("## Configuration.check\n\nChecks an unknown value against the shape of a manifest")
    expect(all.pages.get("core")).toMatch(/described elsewhere: .*\[\d+ more\]\(core-spi\.md\)/)
    expect(all.pages.get("core-spi")).toContain("## Release\n\n")
  })
})
