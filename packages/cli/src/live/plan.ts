import type { PlannedStack, Request } from "@signalbox/core/engine"
import type { Paint } from "../host/color.ts"
import { plain } from "./words.ts"

const signs = { create: ["+", "green"], update: ["~", "yellow"], none: ["=", "dim"] } as const

const stackLines = (planned: PlannedStack, paint: Paint): ReadonlyArray<string> => {
  const { dependsOn, irreversible, name, plan, provider, waitsFor } = planned
  const after = dependsOn.length === 0 ? "" : paint("dim", `  after ${dependsOn.join(", ")}`)
  if (plan === null) {
    return [
      `  ${paint("yellow", "?")} ${name} (${provider})  planned once ${waitsFor.join(", ")} ${waitsFor.length === 1 ? "is" : "are"} known${after}`
    ]
  }
  const [sign, style] = signs[plan.action]
  const from = plan.checkpoint.release?.version
  const { version } = plan.candidate
  return [
    `  ${paint(style, sign)} ${name} (${provider})  ${plan.action === "none" ? "nothing to do" : plan.action}  ${
      from === undefined || from === version ? version : `${from} → ${version}`
    }${after}`,
    ...plan.changes.map((change) => `      ${plain(change)}`),
    ...plan.warnings.map((warning) => `      ${paint("yellow", `careful: ${plain(warning)}`)}`),
    irreversible === undefined
      ? paint("dim", `      rollback: ${plain(plan.rollback)}`)
      : paint("yellow", `      never undone: ${plain(irreversible)}`)
  ]
}

/** A plan for people: what changes, and what a rollback would do, before anything is done. */
export const planLines = (request: Request, plan: ReadonlyArray<PlannedStack>, paint: Paint): ReadonlyArray<string> => {
  const changing = plan.filter(({ plan }) => plan?.action !== "none").length
  return [
    `${request.kind} ${request.deploymentId} ${request.environment}${request.version === undefined ? "" : ` ${request.version}`} would do:`,
    ...plan.flatMap((one) => stackLines(one, paint)),
    changing === 0
      ? "Nothing changes."
      : `${changing} of ${plan.length} stacks change. Nothing was done yet: leave out --dry-run to do it.`
  ]
}
