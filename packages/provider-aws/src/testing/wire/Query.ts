/**
 * The Query protocol of ELB, Auto Scaling, STS and EC2: a form, with the path of each value as its key.
 */
import type { NormalizedSchema } from "@smithy/core/schema"
import { invalid } from "./AwsError.ts"
import { checkRequired } from "./Schema.ts"

/** EC2 numbers lists without `member`, and spells some members in its own way. */
export type Dialect = "query" | "ec2"

interface Tree {
  text?: string
  readonly branches: Map<string, Tree>
}

const leaf = (): Tree => ({ branches: new Map() })

const treeOf = (form: URLSearchParams): Tree => {
  const root = leaf()
  for (const [key, text] of form) {
    let at = root
    for (const part of key.split(".")) {
      const next = at.branches.get(part) ?? leaf()
      at.branches.set(part, next)
      at = next
    }
    at.text = text
  }
  return root
}

const numbered = ({ branches }: Tree): ReadonlyArray<Tree> =>
  [...branches]
    .map(([key, tree]) => [Number(key), tree] as const)
    .sort(([a], [b]) => a - b)
    .map(([, tree]) => tree)

const keyOf = (dialect: Dialect, name: string, schema: NormalizedSchema): string => {
  const { ec2QueryName, xmlName } = schema.getMergedTraits() as { ec2QueryName?: string; xmlName?: string }
  const key = xmlName ?? name
  return dialect === "query" ? key : (ec2QueryName ?? key[0]!.toUpperCase() + key.slice(1))
}

const scalar = (schema: NormalizedSchema, text: string, path: string): unknown => {
  const wrong = (kind: string) => invalid(`Value '${text}' at '${path.slice(0, -1)}' is not ${kind}.`)
  if (schema.isBooleanSchema()) {
    if (text !== "true" && text !== "false") throw wrong("a boolean")
    return text === "true"
  }
  if (schema.isNumericSchema()) {
    const value = Number(text)
    if (text === "" || Number.isNaN(value)) throw wrong("a number")
    return value
  }
  if (schema.isTimestampSchema()) {
    const value = new Date(text)
    if (Number.isNaN(value.getTime())) throw wrong("a time")
    return value
  }
  return schema.isBlobSchema() ? Buffer.from(text, "base64") : text
}

const read = (dialect: Dialect, schema: NormalizedSchema, tree: Tree, path: string): unknown => {
  if (schema.isListSchema()) {
    const item = schema.getValueSchema()
    const flat = dialect === "ec2" || Boolean(schema.getMergedTraits().xmlFlattened)
    const items = flat ? tree : tree.branches.get((item.getMergedTraits().xmlName as string | undefined) ?? "member")
    return items === undefined ? [] : numbered(items).map((one, at) => read(dialect, item, one, `${path}${at + 1}.`))
  }
  if (schema.isMapSchema()) {
    const entries = schema.getMergedTraits().xmlFlattened ? tree : (tree.branches.get("entry") ?? leaf())
    return Object.fromEntries(
      numbered(entries).map(({ branches }) => [
        branches.get("key")?.text ?? "",
        read(dialect, schema.getValueSchema(), branches.get("value") ?? leaf(), path)
      ])
    )
  }
  if (schema.isStructSchema()) {
    const value: Record<string, unknown> = {}
    for (const [name, member] of schema.structIterator()) {
      const branch = tree.branches.get(keyOf(dialect, name, member))
      if (branch !== undefined) value[name] = read(dialect, member, branch, `${path}${name}.`)
    }
    checkRequired(schema, value, path)
    return value
  }
  return scalar(schema, tree.text ?? "", path)
}

/** The input of a call. Keys that the schema does not know are passed over, as AWS does it. */
export const fromQuery = (dialect: Dialect, schema: NormalizedSchema, form: URLSearchParams): unknown =>
  read(dialect, schema, treeOf(form), "")
