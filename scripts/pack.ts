/**
 * Packs all packages as they would be published.
 *
 *     node scripts/pack.ts --lint    packs into a temporary folder and looks at the result: publint, attw, the manifest
 */
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Manifest, pnpm, run } from "./repository.ts"

export interface Packed {
  readonly tarball: string
  readonly manifest: Manifest
  readonly files: ReadonlyArray<string>
}

/** Packs all packages into `folder`. They must have been built. */
export const pack = (folder: string): ReadonlyArray<Packed> => {
  pnpm(["-r", "--filter", "./packages/*", "pack", "--pack-destination", folder])
  return readdirSync(folder)
    .filter((name) => name.endsWith(".tgz"))
    .toSorted()
    .map((name) => {
      const tarball = join(folder, name)
      return {
        tarball,
        manifest: JSON.parse(run("tar", ["-xzOf", tarball, "package/package.json"])) as Manifest,
        files: run("tar", ["-tzf", tarball])
          .trim()
          .split("\n")
          .map((path) => path.replace(/^package\//, ""))
      }
    })
}

/** What is wrong with a packed package, beyond what publint and attw check. */
export const problems = ({ files, manifest }: Packed): ReadonlyArray<string> => {
  const text = JSON.stringify(manifest)
  const isLibrary = manifest.exports?.["."] !== undefined
  return [
    ...(text.includes("@signalbox/source") ? ["its manifest still names the condition @signalbox/source"] : []),
    ...(text.includes("workspace:") ? ["its manifest still holds a workspace: range"] : []),
    ...(files.includes("LICENSE") ? [] : ["it has no LICENSE"]),
    ...(files.includes("README.md") ? [] : ["it has no README.md"]),
    ...files
      .filter((path) => path.endsWith(".tsbuildinfo") || path.includes("node_modules/"))
      .map((path) => `it holds ${path}`),
    ...(isLibrary && manifest.dependencies?.["effect"] !== undefined
      ? ["effect must be a peer, so that there is one"]
      : []),
    ...(isLibrary && manifest.name !== "@signalbox/fault-proxy" && manifest.peerDependencies?.["effect"] === undefined
      ? ["effect is not among its peers"]
      : [])
  ]
}

if (import.meta.main) {
  const folder = mkdtempSync(join(tmpdir(), "signalbox-pack-"))
  try {
    const failures = pack(folder).flatMap((packed) => {
      const { manifest, tarball } = packed
      const linters: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
        ["publint", ["--strict", tarball]],
        // The command has no types to look at.
        ...(manifest.exports?.["."] === undefined
          ? []
          : [["attw", ["--profile", "esm-only", "--no-emoji", tarball]] as const])
      ]
      const found = linters.flatMap(([command, args]) => {
        try {
          run(command, args)
          return []
        } catch (error) {
          return [String(error)]
        }
      })
      return [...problems(packed), ...found].map((problem) => `${manifest.name}: ${problem}`)
    })
    for (const failure of failures) console.error(failure)
    process.exitCode = failures.length === 0 ? 0 : 1
  } finally {
    rmSync(folder, { recursive: true })
  }
}
