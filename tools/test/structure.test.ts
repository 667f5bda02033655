import { readdirSync, readFileSync } from "node:fs"
import { basename, dirname, join, relative, resolve } from "node:path"
import { describe, expect, it } from "vitest"
import { root } from "./repository.ts"

const walk = (folder: string): ReadonlyArray<string> =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    return entry.isDirectory() ? walk(path) : entry.name.endsWith(".ts") ? [path] : []
  })

const packages = readdirSync(join(root, "packages"))
const sources = packages.flatMap((name) => walk(join(root, "packages", name, "src")))
const named = (path: string) => relative(root, path)

/** What a file imports or re-exports by a relative path, types included. */
const importsOf = (path: string): ReadonlyArray<string> =>
  [...readFileSync(path, "utf8").matchAll(/\bfrom "(\.[^"]+)"|\bimport\("(\.[^"]+)"\)/g)].map(([, from, dynamic]) =>
    resolve(dirname(path), from ?? dynamic ?? "")
  )

/** Tarjan's strongly connected components with more than one file. */
const circles = (graph: ReadonlyMap<string, ReadonlyArray<string>>): ReadonlyArray<ReadonlyArray<string>> => {
  const index = new Map<string, number>()
  const low = new Map<string, number>()
  const stack: Array<string> = []
  const found: Array<ReadonlyArray<string>> = []
  const visit = (file: string): void => {
    index.set(file, index.size)
    low.set(file, index.get(file)!)
    stack.push(file)
    for (const next of graph.get(file) ?? []) {
      if (!index.has(next)) visit(next)
      if (stack.includes(next)) low.set(file, Math.min(low.get(file)!, low.get(next)!))
    }
    if (low.get(file) !== index.get(file)) return
    const circle = stack.splice(stack.indexOf(file))
    if (circle.length > 1) found.push(circle)
  }
  for (const file of graph.keys()) if (!index.has(file)) visit(file)
  return found
}

describe("the structure of the sources", () => {
  it("has no import circle, types included", () => {
    const graph = new Map(sources.map((path) => [named(path), importsOf(path).map(named)]))
    expect(graph.size).toBeGreaterThan(200)
    expect(circles(graph)).toEqual([])
  })

  it("finds an existing circle", () => {
    const graph = new Map([
      ["a", ["b"]],
      ["b", ["c"]],
      ["c", ["b"]]
    ])
    expect(circles(graph).map((circle) => circle.toSorted())).toEqual([["b", "c"]])
  })

  it("has one way into the log: ExecutionLog.write, and one commit below it", () => {
    // The parts of the store itself, and what wraps a database.
    const below =
      /^packages\/core\/src\/(store|testing)\/|^packages\/core\/src\/plugin\/store\.ts$|^packages\/node\/src\/(layerPostgres|whenThere)\.ts$/
    const writers = (call: RegExp) =>
      sources.map(named).filter((path) => !below.test(path) && call.test(readFileSync(join(root, path), "utf8")))
    expect(writers(/\.commit\(/)).toEqual([])
    // Whatever a store is called: nothing else appends objects with events.
    expect(writers(/\.append\(\{|\bstore\s*\.append\b/)).toEqual(["packages/core/src/engine/log/ExecutionLog.ts"])
  })

  it("makes and reads ids of events and keys of leases in one module each", () => {
    const others = (text: RegExp, ...owners: ReadonlyArray<string>) =>
      sources.map(named).filter((path) => text.test(readFileSync(join(root, path), "utf8")) && !owners.includes(path))
    expect(others(/[^*] as EventId\b|Brand<"EventId">/, "packages/core/src/domain/EventId.ts")).toEqual([])
    expect(others(/(?:closing|set-aside|reported|seen)\//, "packages/core/src/domain/EventId.ts")).toEqual([])
    expect(others(/`(?:environment|execution|trace)\/\$\{/, "packages/core/src/spi/LeaseKey.ts")).toEqual([])
    expect(
      others(/\bholder as CorrelationId|\.key\.(?:startsWith|split|replace|slice|match)\(|\.exec\(\w*\.key\)/)
    ).toEqual([])
  })

  it("keeps folders small enough to read: at most 20 files beside the door", () => {
    // One file per command.
    const listings = new Set(["packages/cli/src/commands"])
    const sizes = new Map<string, number>()
    for (const path of sources) {
      if (basename(path) === "index.ts") continue
      const folder = named(dirname(path))
      sizes.set(folder, (sizes.get(folder) ?? 0) + 1)
    }
    expect([...sizes].filter(([folder, size]) => size > 20 && !listings.has(folder))).toEqual([])
  })

  it("exports no two types of one name from a package", () => {
    for (const name of packages) {
      const places = new Map<string, Array<string>>()
      for (const path of walk(join(root, "packages", name, "src"))) {
        const declared = readFileSync(path, "utf8").matchAll(/^export (?:interface|type|class) ([A-Z]\w*)/gm)
        for (const type of new Set([...declared].map(([, type = ""]) => type))) {
          places.set(type, [...(places.get(type) ?? []), named(path)])
        }
      }
      expect([...places].filter(([, files]) => files.length > 1)).toEqual([])
    }
  })

  it("exports at most 40 names from the root of core; the rest is under its subpath", () => {
    const index = readFileSync(join(root, "packages", "core", "src", "index.ts"), "utf8")
    expect(index).not.toMatch(/export \*/)
    const names = [...index.matchAll(/^export (?:type )?\{([^}]*)\}/gm)].flatMap(([, list = ""]) =>
      list.split(",").filter((name) => name.trim() !== "")
    )
    expect(names.length).toBeGreaterThan(10)
    expect(names.length).toBeLessThanOrEqual(40)
  })

  it("has the command and the SDK read through the facade, not from the stores", () => {
    // These choose and hand on stores, and read nothing.
    const chooses = /^packages\/(cli\/src\/(backend\/|host\/Host\.ts)|node\/src\/sdk\/SignalboxNode\.ts)/
    const readers = sources
      .map(named)
      .filter((path) => /^packages\/(cli\/src|node\/src\/sdk)\//.test(path) && !chooses.test(path))
    expect(readers.length).toBeGreaterThan(100)
    const stores = /import [^;]*?\b(?:DeploymentStore|LeaseStore)\b[^;]*? from "@signalbox\/core/
    expect(readers.filter((path) => stores.test(readFileSync(join(root, path), "utf8")))).toEqual([])
  })

  it("has rooms of the engine import each other through their doors", () => {
    const engine = join(root, "packages", "core", "src", "engine")
    const roomOf = (path: string) => relative(engine, path).split("/").slice(0, -1).join("/")
    const around = walk(engine).flatMap((path) =>
      importsOf(path)
        .filter((target) => target.startsWith(engine) && roomOf(target) !== "" && roomOf(target) !== roomOf(path))
        .filter((target) => basename(target) !== "index.ts")
        .map((target) => `${named(path)} → ${named(target)}`)
    )
    expect(around).toEqual([])
  })
})
