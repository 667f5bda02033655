import { validate } from "@actions/languageservice"
import { clearCache } from "@actions/languageservice/utils/workflow-cache"
import { TextDocument } from "vscode-languageserver-textdocument"
import { read } from "../test/repository.ts"
import { actionOf, at, entries, items, workflowOf } from "./template.ts"

const isAction = (path: string): boolean => path.endsWith("action.yml")

/** What GitHub's own language service has to say: schema, expressions, and names in contexts that nothing declares. */
const said = async (path: string, content: string): Promise<ReadonlyArray<string>> => {
  // It remembers files by their paths.
  clearCache()
  return (await validate(TextDocument.create(`file:///${path}`, "yaml", 1, content), {})).map(
    ({ message, range }) => `${path}:${range.start.line + 1}: ${message}`
  )
}

const named = (path: string, key: string): ReadonlyArray<string> =>
  entries(at(actionOf(path, read(path)), key)).map(([name]) => name)

/** Secrets that a workflow names and is not given, inputs and outputs that this repository's actions do not have. */
const strangers = async (path: string, content: string): Promise<ReadonlyArray<string>> => {
  const { tree } = await workflowOf(path, content)
  const given = entries(at(tree, "on", "workflow_call", "secrets")).map(([name]) => name)
  const secrets = [...content.matchAll(/secrets\.([\w-]+)/g)]
    .map(([, name = ""]) => name)
    .filter((name) => name !== "GITHUB_TOKEN" && !given.includes(name))
    .map((name) => `${path}: no secret ${name}`)
  const unknown = entries(at(tree, "jobs")).flatMap(([job, body]) => {
    const steps = items(at(body, "steps")).flatMap((step) => {
      const uses = at(step, "uses")?.toString() ?? ""
      return uses.startsWith("$/") ? [{ step, manifest: `${uses.slice(2)}/action.yml` }] : []
    })
    const inputs = steps.flatMap(({ manifest, step }) => {
      const declared = named(manifest, "inputs")
      const given = entries(at(step, "with")).map(([name]) => name)
      return given.filter((name) => !declared.includes(name)).map((name) => `${path}: ${job}: no input ${name}`)
    })
    // The part of the text from this job to the next is where its steps can be named.
    const text = content.slice(content.search(new RegExp(`^  ${job}:`, "m"))).split(/^ {2}(?=\w+:)/m)[1] ?? ""
    const outputs = [...text.matchAll(/steps\.([\w-]+)\.outputs\.([\w-]+)/g)].flatMap(([, id, name = ""]) => {
      const found = steps.find(({ step }) => at(step, "id")?.toString() === id)
      return found === undefined || named(found.manifest, "outputs").includes(name)
        ? []
        : [`${path}: ${job}: step ${id} has no output ${name}`]
    })
    return [...inputs, ...outputs]
  })
  return [...secrets, ...unknown]
}

/** All that is wrong with a workflow, or with the manifest of an action. */
export const complaints = async (path: string, content = read(path)): Promise<ReadonlyArray<string>> => {
  const found = await said(path, content)
  return found.length > 0 || isAction(path) ? found : strangers(path, content)
}
