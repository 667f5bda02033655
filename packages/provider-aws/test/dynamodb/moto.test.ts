/**
 * The store on another emulator, which others have written: what holds on both is more likely to hold at AWS. It knows no tokens
 * of requests, so only the first one is tested with lost answers.
 */
import { afterAll, beforeEach, describe } from "vitest"
import { install, start } from "../../../../scripts/aws-emulators.mjs"
import { suites } from "./suites.ts"

const installed = (): boolean => {
  try {
    install("moto")
    return true
  } catch (error) {
    if (process.env["CI"]) throw error
    console.warn(`moto cannot be installed here, so the cross-check of the store is skipped: ${String(error)}`)
    return false
  }
}

/** These take most of the time, since they write most. `SIGNALBOX_MOTO=all` runs them too. */
const long =
  process.env["SIGNALBOX_MOTO"] === "all"
    ? []
    : [
        "stores the states that its events fold to",
        "hides no event from a reader that continues from the last position, with 8 writers",
        "finds executions by every filter, latest first",
        "prunes what was finished and asked for before, and nothing else",
        "numbers the events of concurrent writers without gaps and loses none",
        "lets writes to many streams succeed at the same time",
        "pages through executions without loss or repeat while new ones arrive",
        "judges each of many writes by itself that come at once",
        "lets one of many win who ask at once",
        "finds events by every filter, oldest first"
      ]

const there = installed()

describe.skipIf(!there)("DynamoDB", async () => {
  if (!there) return
  const { stop, url } = await start({ name: "moto" })
  afterAll(stop)
  beforeEach(({ skip, task }) => skip(long.includes(task.name), "it takes long on moto"))
  await suites("DynamoDB by moto", url, url, { emulator: url })
})
