import { describe, expect, it } from "vitest"
import { manifest, packages } from "../../scripts/repository.ts"

const source = "@signalbox/source"
const libraries = packages.map(manifest).filter(({ exports }) => exports?.["."] !== undefined)

/** An export map without the conditions that are for this repository alone. */
const published = (exports: Readonly<Record<string, unknown>>): unknown =>
  Object.fromEntries(
    Object.entries(exports).map(([path, target]) => [
      path,
      typeof target === "object" && target !== null
        ? Object.fromEntries(Object.entries(target).filter(([condition]) => condition !== source))
        : target
    ])
  )

describe("packages", () => {
  it.each(libraries)("$name publishes what it exports here, without the source condition", ({ exports, ...rest }) => {
    expect(rest).toHaveProperty("publishConfig.exports", published(exports!))
  })

  it.each(libraries)("$name has the source first in every export", ({ exports }) => {
    for (const target of Object.values(exports!)) {
      if (typeof target === "object" && target !== null) expect(Object.keys(target)[0]).toBe(source)
    }
  })

  it.each(libraries)("$name takes effect from its user", ({ dependencies = {}, name, peerDependencies }) => {
    expect(dependencies).not.toHaveProperty("effect")
    if (name !== "@signalbox/fault-proxy") expect(peerDependencies).toHaveProperty("effect")
  })

  it("@signalbox/fault-proxy needs nothing but Node", () => {
    const proxy = libraries.find(({ name }) => name === "@signalbox/fault-proxy")
    expect(proxy).toBeDefined()
    expect(proxy).not.toHaveProperty("dependencies")
    expect(proxy).not.toHaveProperty("peerDependencies")
  })

  it.each(packages.map(manifest))("$name is MIT, described and of the version of the others", (one) => {
    expect(one).toMatchObject({ license: "MIT", version: manifest(packages[0]!).version })
    expect(one).toHaveProperty("description")
  })
})
