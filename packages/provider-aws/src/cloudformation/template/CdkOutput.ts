/**
 * Templates that CDK has written: `cdk.out#Stack`.
 */
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { TemplateMistake } from "./Template.ts"

/** The part of the manifest of a cloud assembly that is looked at. */
interface Assembly {
  readonly artifacts?: Readonly<
    Record<
      string,
      {
        readonly type?: string
        readonly displayName?: string
        readonly properties?: { readonly templateFile?: string; readonly stackName?: string; readonly file?: string }
      }
    >
  >
}

interface Assets {
  readonly files?: Readonly<Record<string, { readonly source?: { readonly path?: string } }>>
  readonly dockerImages?: Readonly<Record<string, unknown>>
}

const json = async <A>(path: string): Promise<A> => JSON.parse(await readFile(path, "utf8")) as A

/** Finds the template of a stack, by its id, its name at AWS, or its path in the app. */
export const cdkTemplate = async (folder: string, stack: string): Promise<string> => {
  const { artifacts = {} } = await json<Assembly>(join(folder, "manifest.json"))
  const stacks = Object.entries(artifacts).filter(([, { type }]) => type === "aws:cloudformation:stack")
  const found = stacks.find(
    ([id, { displayName, properties }]) => id === stack || displayName === stack || properties?.stackName === stack
  )
  if (found === undefined) {
    const names = stacks.map(([id]) => id).join(", ")
    throw new TemplateMistake(`it has no stack ${stack}; it has ${names === "" ? "none" : names}`)
  }
  const [id, { properties }] = found
  const templateFile = properties?.templateFile ?? `${id}.template.json`
  const others = await unpublished(folder, artifacts[`${id}.assets`]?.properties?.file, templateFile)
  if (others.length > 0) {
    throw new TemplateMistake(
      `${stack} has assets (${others.join(", ")}): publish them with cdk-assets, and name ${templateFile}`
    )
  }
  return join(folder, templateFile)
}

/** Files and images that the stack needs besides its template. */
const unpublished = async (
  folder: string,
  manifest: string | undefined,
  templateFile: string
): Promise<ReadonlyArray<string>> => {
  if (manifest === undefined) return []
  const { dockerImages = {}, files = {} } = await json<Assets>(join(folder, manifest))
  const paths = Object.values(files).flatMap(({ source }) => (source?.path === undefined ? [] : [source.path]))
  return [...paths.filter((path) => path !== templateFile), ...Object.keys(dockerImages)]
}
