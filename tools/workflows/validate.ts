import { validate } from "@actions/languageservice"
import { clearCache } from "@actions/languageservice/utils/workflow-cache"
import type { TemplateToken } from "@actions/workflow-parser/templates/tokens/index"
import type { FileProvider } from "@actions/workflow-parser/workflows/file-provider"
import { TextDocument } from "vscode-languageserver-textdocument"
import { read } from "../test/repository.ts"
import { actionOf, at, entries, items, workflowOf } from "./template.ts"

const isAction = (path: string): boolean => path.endsWith("action.yml")

/** Workflows that another one calls: all are of this repository. */
const fileProvider: FileProvider = {
  getFileContent: async ({ path }) => ({ name: path, content: read(path) })
}

/** What GitHub's own language service has to say: schema, expressions, and names in contexts that nothing declares. */
const said = async (path: string, content: string): Promise<ReadonlyArray<string>> => {
  // It remembers files by their paths.
  clearCache()
  return (await validate(TextDocument.create(`file:///${path}`, "yaml", 1, content), { fileProvider })).map(
    ({ message, range }) => `${path}:${range.start.line + 1}: ${message}`
  )
}

const names = (token: TemplateToken | undefined): ReadonlyArray<string> => entries(token).map(([name]) => name)

/** The path within this repository that `uses` refers to; undefined if it refers elsewhere. */
const own = (uses: TemplateToken | undefined): string | undefined =>
  /^(?:\$|[\w-]+\/signalbox)\/([^@]+)/.exec(uses?.toString() ?? "")?.[1]

const manifestOf = (folder: string): TemplateToken => actionOf(folder, read(`${folder}/action.yml`))

/**
 * References of a workflow to missing things: undeclared secrets, inputs and outputs of local workflows and actions.
 */
const strangers = async (path: string, content: string): Promise<ReadonlyArray<string>> => {
  const { tree } = await workflowOf(path, content)
  const call = at(tree, "on", "workflow_call")
  const given = names(at(call, "secrets"))
  const unknown =
    call === undefined
      ? []
      : [...content.matchAll(/secrets\.([\w-]+)/g)]
          .map(([, name = ""]) => name)
          .filter((name) => name !== "GITHUB_TOKEN" && !given.includes(name))
          .map((name) => `${path}: no secret ${name}`)
  const jobs = await Promise.all(entries(at(tree, "jobs")).map(([id, job]) => strangersOfJob(id, job, content)))
  return [...unknown, ...jobs.flat().map((message) => `${path}: ${message}`)]
}

const strangersOfJob = async (id: string, job: TemplateToken, content: string): Promise<ReadonlyArray<string>> => {
  const missing = (kind: string, named: ReadonlyArray<string>, declared: ReadonlyArray<string>) =>
    named.filter((name) => !declared.includes(name)).map((name) => `${id}: no ${kind} ${name}`)
  const called = own(at(job, "uses"))
  if (called !== undefined) {
    const call = at((await workflowOf(called, read(called))).tree, "on", "workflow_call")
    return [
      ...missing("input", names(at(job, "with")), names(at(call, "inputs"))),
      ...missing("secret", names(at(job, "secrets")), names(at(call, "secrets")))
    ]
  }
  const steps = items(at(job, "steps")).flatMap((step) => {
    const folder = own(at(step, "uses"))
    return folder === undefined ? [] : [{ step, manifest: manifestOf(folder) }]
  })
  // The text from this job to the next is where its steps can be named.
  const text = content.slice(content.search(new RegExp(`^  ${id}:`, "m"))).split(/^ {2}(?=\w+:)/m)[1] ?? ""
  return steps.flatMap(({ manifest, step }) => {
    const name = at(step, "id")?.toString()
    const named = [...text.matchAll(/steps\.([\w-]+)\.outputs\.([\w-]+)/g)].filter(([, one]) => one === name)
    return [
      ...missing("input", names(at(step, "with")), names(at(manifest, "inputs"))),
      ...missing(
        `output of ${name}`,
        named.map(([, , output = ""]) => output),
        names(at(manifest, "outputs"))
      )
    ]
  })
}

/** All that is wrong with a workflow, or with the manifest of an action. */
export const complaints = async (path: string, content = read(path)): Promise<ReadonlyArray<string>> => {
  const found = await said(path, content)
  return found.length > 0 || isAction(path) ? found : strangers(path, content)
}
