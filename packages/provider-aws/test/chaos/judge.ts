/**
 * Judges what happened to a stack by CloudFormation's own events, and by what others have there.
 */
import type { StackEvent } from "@aws-sdk/client-cloudformation"

/** How the tokens of operations by others begin in these tests. */
export const foreign = "theirs-"

const isOwn = ({ PhysicalResourceId, StackId }: StackEvent): boolean => PhysicalResourceId === StackId

const begins = (event: StackEvent): boolean =>
  isOwn(event) && /^(CREATE|UPDATE|DELETE)_IN_PROGRESS$/.test(event.ResourceStatus ?? "")

/** The tokens of the operations that have begun, in the order of the events. */
export const begun = (events: ReadonlyArray<StackEvent>): ReadonlyArray<string> =>
  events.filter(begins).map(({ ClientRequestToken = "" }) => ClientRequestToken)

/** Operations that began more than once, or that neither Signalbox nor the test has begun. */
export const duplicates = (events: ReadonlyArray<StackEvent>): ReadonlyArray<string> => {
  const tokens = begun(events)
  return [
    ...new Set(tokens.filter((token, index) => tokens.indexOf(token) !== index).map((token) => `${token} began twice`)),
    ...tokens.filter((token) => !/^(sb|theirs)-/.test(token)).map((token) => `an operation has the token "${token}"`)
  ]
}

/** Operations of others that did not come to their own end, oldest event first. */
export const disturbed = (events: ReadonlyArray<StackEvent>): ReadonlyArray<string> =>
  [...new Set(begun(events).filter((token) => token.startsWith(foreign)))].flatMap((token) => {
    const from = events.findIndex((event) => begins(event) && event.ClientRequestToken === token)
    const later = events.slice(from + 1).filter(isOwn)
    const end = later.findIndex(({ ResourceStatus }) => ResourceStatus === "UPDATE_COMPLETE")
    const inside = later.slice(0, end === -1 ? undefined : end)
    const others = inside.filter(({ ClientRequestToken }) => ClientRequestToken !== token)
    if (end === -1) return [`${token} did not end with UPDATE_COMPLETE`]
    return others.map(
      ({ ClientRequestToken, ResourceStatus }) => `${ClientRequestToken} (${ResourceStatus}) disturbed ${token}`
    )
  })
