/**
 * Finds sentences in what is stored: events and states hold codes and values, and text only where it comes from outside.
 */

/** A text where none may be. `path` begins with the tag of the event, or with `state`. */
export interface FoundSentence {
  readonly path: string
  readonly text: string
}

/**
 * Where text from outside is kept: what people, configurations, providers and exceptions say. `**` stands for everything below,
 * a leading `*` for everything before.
 */
export const outsideText: ReadonlyArray<string> = [
  // People.
  "*.by",
  "*.reason",
  "*.override",
  "*.version",
  "*.artifact",
  "*.commit",
  "*.workflowRun",
  "DeploymentInitialized.organization",
  "DeploymentInitialized.project",
  "DeploymentInitialized.template",
  "ExecutionRequested.command",
  "ProcessStarted.command",
  "state.command",
  "state.organization",
  "state.project",
  "state.template",
  // Configurations.
  "*.spec.**",
  "*.settings.**",
  "*.irreversible",
  "*.params.freeze",
  // Providers.
  "*.detail",
  "*.remedies[].text",
  "*.remedies[].url",
  "*.outputs.**",
  "*.checkpoint.data.**",
  "*.plan.changes[]",
  "*.plan.rollback",
  "*.plan.warnings[]",
  "ProgressReported.message",
  "state.stacks[].progress",
  "*.params.resource",
  "*.params.expected",
  "*.params.actual",
  // Receipts hold the provider's answers as they came, and exceptions.
  "StepFinished.exit.value.operation.**",
  "StepFinished.exit.value.resources[].**",
  "StepFinished.exit.value.changes[]",
  "StepFinished.exit.value.rollback",
  "StepFinished.exit.value.warnings[]",
  "StepFinished.exit.value.checkpoint.data.**",
  "StepFinished.exit.defect.**"
]

const escaped = (text: string): string => text.replaceAll(/[.[\]]/g, String.raw`\$&`)

const patterns = outsideText.map((path) => {
  const below = path.endsWith(".**")
  const any = path.startsWith("*.")
  const middle = path.slice(any ? 2 : 0, below ? -3 : undefined)
  return new RegExp(`^${any ? String.raw`(.*\.)?` : ""}${escaped(middle)}${below ? String.raw`([.[].*)?` : ""}$`)
})

/** Names of steps, such as `watch/web/canary 10%/1`. */
const stepName = /^([\w.-]+\/)*(canary|rolling) \d+(\.\d+)?%(\/[\w.-]+)*$/

const command = /\bsignalbox [a-z-]+/

const visit = (value: unknown, path: string, found: Array<FoundSentence>): void => {
  if (typeof value === "string") {
    const isOutside = patterns.some((pattern) => pattern.test(path))
    if (command.test(value) || (/\s/.test(value) && !isOutside && !stepName.test(value)))
      found.push({ path, text: value })
    return
  }
  if (Array.isArray(value)) return value.forEach((item) => visit(item, `${path}[]`, found))
  if (typeof value !== "object" || value === null) return
  // What the engine itself issues has a cause and no reason.
  const own = "by" in value && value.by === "signalbox"
  for (const [key, item] of Object.entries(value)) {
    if (own && key === "reason") found.push({ path: `${path}.reason`, text: String(item) })
    else if (key !== "_tag") visit(item, `${path}.${key}`, found)
  }
}

/**
 * The sentences in an event (or in a state, where it has no tag): strings with a space in them where no text from outside is
 * kept, and commands of the CLI anywhere.
 */
export const sentencesIn = (value: { readonly _tag?: string }): ReadonlyArray<FoundSentence> => {
  const found: Array<FoundSentence> = []
  visit(value, value._tag ?? "state", found)
  return found
}
