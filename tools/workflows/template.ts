import {
  convertWorkflowTemplate,
  isMapping,
  isSequence,
  NoOperationTraceWriter,
  parseWorkflow
} from "@actions/workflow-parser"
import { parseAction } from "@actions/workflow-parser/actions/action-parser"
import type { WorkflowTemplate } from "@actions/workflow-parser/model/workflow-template"
import type { TemplateToken } from "@actions/workflow-parser/templates/tokens/index"

/** The entries of a mapping; empty if there is none. */
export const entries = (token: TemplateToken | undefined): ReadonlyArray<readonly [string, TemplateToken]> =>
  token === undefined || !isMapping(token) ? [] : [...token].map(({ key, value }) => [key.toString(), value] as const)

/** The value below a token by names. */
export const at = (token: TemplateToken | undefined, ...path: ReadonlyArray<string>): TemplateToken | undefined =>
  path.reduce<TemplateToken | undefined>(
    (found, name) => (found !== undefined && isMapping(found) ? found.find(name) : undefined),
    token
  )

/** The items of a list; empty if there is none. */
export const items = (token: TemplateToken | undefined): ReadonlyArray<TemplateToken> =>
  token !== undefined && isSequence(token) ? [...token] : []

export interface Workflow {
  readonly tree: TemplateToken
  /** The same, converted: conditions have their implied `success()` here. */
  readonly template: WorkflowTemplate
}

/** Parses a workflow as GitHub does; all its mistakes are thrown. */
export const workflowOf = async (name: string, content: string): Promise<Workflow> => {
  const { context, value } = parseWorkflow({ name, content }, new NoOperationTraceWriter())
  const errors = context.errors.getErrors().map(({ message }) => message)
  if (errors.length > 0 || value === undefined) throw new Error(errors.join("\n"))
  const template = await convertWorkflowTemplate(context, value)
  if (template.errors !== undefined && template.errors.length > 0) {
    throw new Error(template.errors.map(({ Message }) => Message).join("\n"))
  }
  return { tree: value, template }
}

/** Reads the manifest of an action as GitHub does. */
export const actionOf = (name: string, content: string): TemplateToken => {
  const { context, value } = parseAction({ name, content }, new NoOperationTraceWriter())
  const errors = context.errors.getErrors().map(({ message }) => message)
  if (errors.length > 0 || value === undefined) throw new Error(errors.join("\n"))
  return value
}
