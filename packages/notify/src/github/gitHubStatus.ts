/**
 * A notification as a deployment of GitHub and its status.
 */
import type { Json, Message, MessageText, NotificationKind } from "@signalbox/core/spi"

type State = "queued" | "pending" | "in_progress" | "success" | "failure" | "error"

/** Kinds without a state of their own say only that the execution goes on. */
const states: { readonly [Kind in NotificationKind]?: State } = {
  waiting: "queued",
  approval_requested: "pending",
  paused: "pending",
  completed: "success",
  failed: "failure",
  rolled_back: "failure",
  cancelled: "error"
}

/** A deployment with its new status; `commit` is left out if it is not known. */
export interface GitHubStatus {
  readonly task: string
  readonly environment: string
  readonly isProduction: boolean
  readonly commit?: string
  readonly description: string
  readonly state: State
  readonly logUrl?: string
  readonly environmentUrl?: string
}

/** The longest description that GitHub takes. */
const longest = 140

const urlTo = (message: Message, ...targets: ReadonlyArray<Message["links"][number]["to"]>) =>
  message.links.find(({ to, url }) => targets.includes(to) && /^https?:\/\//.test(url) && url.length <= 1_000)?.url

/** What there is to say about an execution; null for what is not about one. */
export const gitHubStatus = (message: Message, { title }: MessageText): Json => {
  const { environment, execution, facts, stacks } = message
  if (execution === undefined || environment === undefined || facts.kind === "acknowledged") return { nothing: true }
  const commit = execution.origin?.commit
  const address = stacks.map(({ address }) => address ?? "").find((url) => /^https?:\/\/\S+$/.test(url))
  const logUrl = urlTo(message, "workflow", "dashboard", "trace")
  return {
    task: `${execution.kind}:${execution.id}`.slice(0, 128),
    environment,
    isProduction: /^prod(uction)?$/.test(environment),
    ...(commit !== undefined && /^[0-9a-f]{7,64}$/i.test(commit) ? { commit } : {}),
    description: title.length <= longest ? title : `${title.slice(0, longest - 1).replace(/[\ud800-\udbff]$/, "")}…`,
    state: states[facts.kind] ?? "in_progress",
    ...(logUrl === undefined ? {} : { logUrl }),
    ...(address === undefined || address.length > 1_000 ? {} : { environmentUrl: address })
  }
}
