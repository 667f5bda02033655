/** The two levels of status side by side. */
import { word } from "./glyphs.ts"

interface Levels {
  readonly status: string
  readonly stacks: ReadonlyArray<{ readonly name: string; readonly status: string }>
}

const expected: Readonly<Record<string, string>> = { deployed: "deployed", destroyed: "destroyed" }

const stacksThat = (stacks: Levels["stacks"]): string =>
  stacks.map(({ name, status }) => `${name} is ${word(status)}`).join(", ")

const look = {
  configured: "look with: signalbox health",
  bare: "no provider can be asked without a configuration; look there, and run it again"
} as const

/**
 * Both levels in one sentence if they disagree, or if one does not explain itself. Whether a provider can be asked
 * depends on the configuration.
 */
export const disagreement = ({ stacks, status }: Levels, place: keyof typeof look): string | undefined => {
  const wanted = expected[status]
  const others = wanted === undefined ? [] : stacks.filter((stack) => stack.status !== wanted)
  if (others.length > 0) return `the deployment is ${word(status)}, but ${stacksThat(others)}`
  if (status === "unknown")
    return `a command was cut off, or ran without the lease, and what is there is not known; ${look[place]}`
  if (status === "partial") {
    const failed = stacks.filter((stack) => stack.status !== "deployed").map(({ name }) => name)
    return failed.length === 0
      ? "the deployment is partial, but all its stacks are deployed now"
      : `partial because of ${failed.join(", ")}`
  }
  const all = stacks.length > 0 && stacks.every((stack) => stack.status === "deployed")
  return status === "failed" && all ? "the deployment is failed, but all its stacks are deployed" : undefined
}
