/**
 * The store in DynamoDB.
 */
import type { Abort, PlainStore } from "@signalbox/core/plugin"
import { setTimeout as sleep } from "node:timers/promises"
import { parseAddress } from "./Address.ts"
import { makeCommit } from "./commit.ts"
import { checkTime, connect } from "./Database.ts"
import { makeExecutions } from "./executions.ts"
import { keys, number } from "./items.ts"
import { makeLeases } from "./leases.ts"
import { Log } from "./Log.ts"
import { makeOutbox } from "./outbox.ts"
import { makePrune } from "./prune.ts"
import { makeRead } from "./read.ts"
import { get } from "./reading.ts"
import { StoreFailure } from "./StoreFailure.ts"

/** How often another process's writes are looked for, in ms. */
const pollsEvery = 500

/** How well the time is known after the store was opened on a host whose clock is wrong, in ms. */
const accurate = 100

/** The layout of the table that this version writes. */
const layout = 1

/**
 * Opens the store behind a URL `dynamodb://<table>?region=…`.
 *
 * *Errors*: `Misconfigured` for a URL of another form, before any call; `Unavailable` if the table does not exist or cannot
 * be reached.
 */
export const openStore = async (url: string): Promise<PlainStore> => {
  const database = await connect(parseAddress(url))
  const table = await get(database, keys.table)
  checkTime(database)
  // Where this host tells nothing about the time, the turn of a second does.
  const { clock } = database
  const turn = performance.now() + 1_100
  while (clock.isHostWrong && clock.uncertainty > accurate && performance.now() < turn) await get(database, keys.table)
  if (table?.["layout"] !== undefined && number(table, "layout") > layout) {
    throw new StoreFailure("NewerWriter", `a newer version of Signalbox laid out the table ${database.table}`)
  }
  const log = new Log(database, table?.["complete"] === undefined ? 0 : number(table, "complete"))
  const { keysOf, owes, ...outbox } = makeOutbox(database)
  const prune = makePrune(database, { keysOf, owes })
  let seen = ""

  const pulse = async (signal: Abort): Promise<void> => {
    for (;;) {
      try {
        await sleep(pollsEvery, undefined, { signal })
        const { version } = await log.end()
        if (version === seen) continue
        seen = version
        return
      } catch (error) {
        if (signal.aborted) return
        // A store that is unavailable for a while ends no subscription: the next read fails with the reason.
        if (!(error instanceof StoreFailure) || error.reason !== "Unavailable") throw error
      }
    }
  }

  return {
    ...makeRead(database, log),
    ...makeLeases(database),
    commit: makeCommit(database, log),
    executions: makeExecutions(database),
    newest: async () => (await log.end()).newest,
    pulse,
    prune,
    outbox,
    close: async () => database.close()
  }
}
