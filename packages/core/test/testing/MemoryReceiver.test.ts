import * as Effect from "effect/Effect"
import { MemoryReceiver, NotifierSuite } from "../../src/testing/index.ts"
import type { NotifierCapabilities } from "../../src/spi/index.ts"

const suite = (name: string, capabilities: NotifierCapabilities) =>
  NotifierSuite.suite(name, {
    capabilities,
    faults: NotifierSuite.allFaults,
    make: Effect.sync(() => MemoryReceiver.makeMemoryReceiver(capabilities))
  })

const all = MemoryReceiver.allCapabilities

suite("memory", all)
suite("memory that updates", { ...all, thread: false, dedupe: "update" })
suite("memory without memory", { ...all, update: false, thread: false, dedupe: "none" })
