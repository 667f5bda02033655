import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { manifest, packages } from "../../scripts/repository.ts"
import { fencesOf, pages } from "./fences.ts"
import { bin, read, root } from "./repository.ts"

const snippets = pages.flatMap(fencesOf).filter(({ language }) => language === "ts")

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "docs-"))
  const modules = join(folder, "node_modules")
  mkdirSync(join(modules, "@signalbox"), { recursive: true })
  for (const path of packages) symlinkSync(path, join(modules, manifest(path).name))
  // The packages that a reader of the pages would install besides.
  for (const name of ["effect", "vitest", "@effect/vitest", "@types/node"]) {
    mkdirSync(dirname(join(modules, name)), { recursive: true })
    symlinkSync(join(root, "node_modules", name), join(modules, name))
  }
  symlinkSync(join(root, "examples/otel-host/node_modules/@opentelemetry"), join(modules, "@opentelemetry"))
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module", private: true }))
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({ extends: join(root, "tsconfig.test.json"), compilerOptions: { types: ["node"] }, include: ["."] })
  )
})
afterAll(() => rmSync(folder, { recursive: true }))

/** The compiler's output for modules, each a separate file. */
const compile = (modules: Readonly<Record<string, string>>): string => {
  for (const name of readdirSync(folder)) if (name.endsWith(".ts")) rmSync(join(folder, name))
  for (const [name, code] of Object.entries(modules)) writeFileSync(join(folder, name), code)
  return spawnSync(join(bin, "tsc"), ["-p", folder], { cwd: folder, encoding: "utf8" }).stdout
}

describe("the pages", () => {
  it("hold TypeScript that compiles, each block on its own", () => {
    expect(snippets.length).toBeGreaterThan(1)
    const modules = Object.fromEntries(
      snippets.map(({ at, code }) => [`${at.replaceAll(/[^\w]/g, "_")}.ts`, `// ${at}\n${code}export {}\n`])
    )
    expect(compile(modules)).toBe("")
  })

  it("would not be believed otherwise", () => {
    const wrong = `import { DeploymentId } from "@signalbox/core/domain"\nexport const id: DeploymentId = "DX6604E"\n`
    expect(compile({ "wrong.ts": wrong })).toContain("wrong.ts(2,14): error TS2322")
  })

  it.each(pages)("%s has no broken links", (page) => {
    const links = [...read(page).matchAll(/\]\(([^)#]+?)(?:#[^)]*)?\)/g)].map(([, target = ""]) => target)
    const broken = links.filter((target) => !/^\w+:/.test(target) && !existsSync(join(root, dirname(page), target)))
    expect(broken).toEqual([])
  })
})
