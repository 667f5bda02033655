import type { PlannedStack, Request } from "@signalbox/core/api"
import type { PlannedResource, PlanTarget } from "@signalbox/core/spi"
import type { Ink } from "../execution/outcome.ts"
import { describeCause } from "@signalbox/core/text"
import { wrap } from "./text.ts"
import { plain } from "./words.ts"

const signs = { create: ["+", "green"], update: ["~", "yellow"], none: ["=", "dim"] } as const

const targetText = ({ account, principal, project, region }: PlanTarget): string => {
  const where = [
    ...(account === undefined ? [] : [`account ${account}`]),
    ...(project === undefined ? [] : [`project ${project}`]),
    ...(region === undefined ? [] : [`region ${region}`])
  ].join(", ")
  return `${where}${principal === undefined ? "" : ` as ${principal}`}`.trim()
}

const resourceText = ({ action, replacement, resource, type }: PlannedResource): string =>
  `${action} ${resource} (${type})${replacement && action !== "replace" ? ", by a new one" : ""}`

const stackLines = (planned: PlannedStack, { columns, paint }: Ink): ReadonlyArray<string> => {
  const below = (style: "dim" | "yellow" | undefined, text: string) =>
    wrap(plain(text), columns - 6).map((line) => `      ${style === undefined ? line : paint(style, line)}`)
  const { account, artifact, dependsOn, irreversible, name, plan, provider, region, values, waitsFor } = planned
  const after = dependsOn.length === 0 ? "" : paint("dim", `  after ${dependsOn.join(", ")}`)
  const given = [
    ...(artifact === undefined ? [] : below("dim", `artifact: ${artifact}`)),
    ...(region === undefined && account === undefined
      ? []
      : below("dim", `in ${[region, account].filter((part) => part !== undefined).join(", account ")}`)),
    ...Object.entries(values ?? {}).flatMap(([path, text]) => below("dim", `${path}: ${text}`))
  ]
  if (plan === null) {
    return [
      `  ${paint("yellow", "?")} ${name} (${provider})  planned once ${waitsFor.join(", ")} ${waitsFor.length === 1 ? "is" : "are"} known${after}`,
      ...given
    ]
  }
  const [sign, style] = signs[plan.action]
  const from = plan.checkpoint.release?.version
  const { version } = plan.candidate
  return [
    `  ${paint(style, sign)} ${name} (${provider})  ${plan.action === "none" ? "nothing to do" : plan.action}  ${
      from === undefined || from === version ? version : `${from} → ${version}`
    }${after}`,
    ...(plan.target === undefined ? [] : below("dim", targetText(plan.target))),
    ...(plan.resources ?? []).flatMap((one) => below(one.replacement ? "yellow" : undefined, resourceText(one))),
    ...given,
    ...plan.changes.flatMap((change) => below(undefined, change)),
    ...(plan.notices ?? []).flatMap((notice) => below("yellow", `careful: ${describeCause(notice)}`)),
    ...plan.warnings.flatMap((warning) => below("yellow", `careful: ${warning}`)),
    ...(irreversible === undefined
      ? below("dim", `rollback: ${plan.rollback}`)
      : below("yellow", `never undone: ${irreversible}`))
  ]
}

/** A plan for people: the changes, and the effect of a rollback, before anything is done. */
export const planLines = (request: Request, plan: ReadonlyArray<PlannedStack>, ink: Ink): ReadonlyArray<string> => {
  const changing = plan.filter(({ plan }) => plan?.action !== "none").length
  return [
    `${request.kind} ${request.deploymentId} ${request.environment}${request.version === undefined ? "" : ` ${request.version}`} would do:`,
    ...plan.flatMap((one) => stackLines(one, ink)),
    ...wrap(
      changing === 0
        ? "Nothing changes."
        : `${changing} of ${plan.length} stacks change. Nothing was done yet: leave out --dry-run to do it.`,
      ink.columns
    )
  ]
}
