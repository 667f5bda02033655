/**
 * What happens when the job ends, however it ends: what a step of it holds is given back.
 */
import { complaintOf, lastObject } from "./answer.mjs"
import { cleaning } from "./arguments.mjs"
import { atTheEnd } from "./outcome.mjs"
import { execute, folderOf } from "./program.mjs"
import * as Runner from "./runner.mjs"

/** @typedef {Runner.Env} Env */

/** A cancelled job is killed soon. Anything that is not returned by then expires with its lease. */
const patience = 7000

/** @param {unknown} released */
const freed = (released) => {
  const names = Array.isArray(released) ? released.map(String) : typeof released === "string" ? [released] : []
  if (names.length > 0) return `freed ${names.join(", ")}`
  return released === true ? "freed what it held" : "held nothing"
}

/** Cleans up after a step; never fails the job, which is over. @param {Env} env */
export const cleanUp = async (env) => {
  const correlationId = Runner.kept(env, "correlation_id")
  if (Runner.kept(env, "owns") !== "true") return
  const step = {
    command: Runner.kept(env, "command"),
    outcome: Runner.kept(env, "outcome"),
    jobStatus: env["INPUT_JOB-STATUS"] ?? ""
  }
  const end = atTheEnd(step)
  if ("leave" in end) return Runner.say(`signalbox: ${correlationId} is left as it is: ${end.leave}`)
  const cwd = folderOf(env, env["INPUT_WORKING-DIRECTORY"] ?? ".")
  const args = cleaning(correlationId, end.ending, `end of the job (${step.jobStatus || "unknown"})`)
  try {
    const ran = await execute(JSON.parse(Runner.kept(env, "program")), args, { cwd, env, timeout: patience })
    const answer = lastObject(ran.stdout)
    // It never came to be: the step was cut before, or its command line was wrong.
    if (ran.code === 4 || (ran.code === 0 && answer?.was === null)) {
      return Runner.say(`signalbox: ${correlationId} never started; there is nothing to free`)
    }
    if (ran.code === 0) {
      const change = answer?.was === answer?.now ? `is ${answer?.now}` : `was ${answer?.was}, is ${answer?.now}`
      return Runner.say(`signalbox: ${correlationId} ${change}; ${freed(answer?.released)}`)
    }
    warn(correlationId, complaintOf(ran.stderr)?.message ?? `ended with ${ran.code}`)
  } catch (error) {
    warn(correlationId, error instanceof Error ? error.message : String(error))
  }
}

/** @param {string} correlationId @param {string} why */
const warn = (correlationId, why) =>
  Runner.warning(
    "signalbox: not cleaned up",
    `${correlationId}: ${why}\nIts lease ends by itself. At once: signalbox cleanup ${correlationId}`
  )
