/**
 * What Signalbox records at a listener or a rule, in a tag beside the one of the stack: what was done to it last.
 */
import type { Mutation } from "@signalbox/core/spi"
import { digestOf } from "../client/digestOf.ts"
import { type Colour, colours } from "./AlbProperties.ts"

export const stateKey = "signalbox:state"

/** What the changes of a step are recorded under. */
export const stepOf = ({ idempotencyKey }: Pick<Mutation, "idempotencyKey">): string =>
  digestOf(idempotencyKey).slice(0, 12)

/** The weights of blue and green. */
export type Weights = Readonly<Record<Colour, number>>

/** The weights where one colour has this and the other one the rest. */
export const weightsFrom = (colour: Colour, own: number, rest: number): Weights =>
  colour === "blue" ? { blue: own, green: rest } : { blue: rest, green: own }

/**
 * *Details*: `stable` has the release that carries the traffic apart from the candidate. `from` and `to` are the weights
 * before and after the last change: the record is written first, so either is in place if the change was cut off. `step`
 * is which step has made it. `since` is when it was recorded, in seconds. `capacity` and `minimum` are the instances of a whole release.
 */
export interface State {
  readonly stable: Colour | null
  readonly from: Weights
  readonly to: Weights
  readonly step: string
  readonly since: number
  readonly capacity: number
  readonly minimum: number
}

const weightsText = ({ blue, green }: Weights): string => `${blue}:${green}`

/** Tags take letters, digits and a few signs, so this is no JSON. */
export const showState = ({ capacity, from, minimum, since, stable, step, to }: State): string =>
  [
    `stable=${stable ?? "none"}`,
    `from=${weightsText(from)}`,
    `to=${weightsText(to)}`,
    `step=${step}`,
    `since=${since}`,
    `capacity=${capacity}`,
    `minimum=${minimum}`
  ].join(" ")

const pattern =
  /^stable=(blue|green|none) from=(\d+):(\d+) to=(\d+):(\d+) step=([0-9a-f]+) since=(\d+) capacity=(\d+) minimum=(\d+)$/

/** Reads a record; null if there is none, or none of ours. */
export const readState = (text: string | undefined): State | null => {
  const found = pattern.exec(text ?? "")
  if (found === null) return null
  const [, stable = "", blue, green, toBlue, toGreen, step = "", since, capacity, minimum] = found
  return {
    stable: colours.find((colour) => colour === stable) ?? null,
    from: { blue: Number(blue), green: Number(green) },
    to: { blue: Number(toBlue), green: Number(toGreen) },
    step,
    since: Number(since),
    capacity: Number(capacity),
    minimum: Number(minimum)
  }
}

export const sameWeights = (left: Weights, right: Weights): boolean =>
  left.blue === right.blue && left.green === right.green

/** As people read it. */
export const showWeights = ({ blue, green }: Weights): string => `blue ${blue}, green ${green}`

/** The part of the traffic that a colour is given, in percent. */
export const shareOf = (weights: Weights, colour: Colour): number => {
  const all = weights.blue + weights.green
  return all === 0 ? 0 : (100 * weights[colour]) / all
}
