/**
 * The licences of what the bundle holds, written beside it: minified code carries none of its own.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import type { Options } from "tsup"

interface Package {
  readonly folder: string
  readonly name: string
  readonly version: string
  readonly license: string
  readonly dependencies: ReadonlyArray<string>
}

const read = (folder: string): Package => {
  const {
    dependencies = {},
    license = "",
    name,
    version
  } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"))
  return { folder, name, version, license, dependencies: Object.keys(dependencies) }
}

/** The folder of the package that a file belongs to; undefined for our own. */
const folderOf = (file: string): string | undefined =>
  /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(realpathSync(file))?.[1]

const dependencyOf = (folder: string, name: string): string => {
  for (let from = folder; from !== dirname(from); from = dirname(from)) {
    const path = join(from, "node_modules", name)
    if (existsSync(path)) return realpathSync(path)
  }
  throw new Error(`${name}, on which ${folder} depends, is not installed`)
}

/** These packages and what they depend on: some are published with their dependencies bundled into them. */
const closure = (folders: Iterable<string>): ReadonlyArray<Package> => {
  const found = new Map<string, Package>()
  const visit = (folder: string): void => {
    if (found.has(folder)) return
    const one = read(folder)
    found.set(folder, one)
    for (const name of one.dependencies) visit(dependencyOf(folder, name))
  }
  for (const folder of folders) visit(folder)
  return [...found.values()].toSorted((left, right) => (left.name < right.name ? -1 : 1))
}

const licenceOf = ({ folder, license, name, version }: Package): string => {
  const file = readdirSync(folder).find((entry) => /^licen[cs]e(\.(md|txt))?$/i.test(entry))
  if (file === undefined) throw new Error(`${name} ${version} (${license}) comes without the text of its licence`)
  return `${name} ${version} (${license})\n\n${readFileSync(join(folder, file), "utf8").trim()}\n`
}

const rule = `\n${"-".repeat(80)}\n\n`
const title = "This program contains code of the packages below, under the licences that follow their names.\n"

/** Writes `THIRD-PARTY-LICENSES.txt` beside the bundle, and fails where a licence has no text. */
export const thirdPartyLicenses: NonNullable<Options["esbuildPlugins"]>[number] = {
  name: "third-party-licenses",
  setup: ({ initialOptions, onEnd }) => {
    initialOptions.metafile = true
    onEnd(({ metafile }) => {
      if (metafile === undefined || initialOptions.outdir === undefined) return
      const inputs = Object.values(metafile.outputs).flatMap((output) => Object.entries(output.inputs))
      const folders = inputs.flatMap(([file, { bytesInOutput }]) => {
        const folder = bytesInOutput > 0 && existsSync(file) ? folderOf(resolve(file)) : undefined
        return folder === undefined ? [] : [folder]
      })
      mkdirSync(initialOptions.outdir, { recursive: true })
      const texts = closure(new Set(folders)).map(licenceOf)
      writeFileSync(join(initialOptions.outdir, "THIRD-PARTY-LICENSES.txt"), [title, ...texts].join(rule))
    })
  }
}
