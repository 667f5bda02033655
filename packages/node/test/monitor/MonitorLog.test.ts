import * as Fs from "node:fs"
import * as Path from "node:path"
import { it } from "@effect/vitest"
import { Monitoring } from "@signalbox/node"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import { afterAll, assert, describe } from "vitest"

const folder = Fs.mkdtempSync(Path.join(process.env.TMPDIR ?? "/tmp", "signalbox-log-"))
afterAll(() => Fs.rmSync(folder, { recursive: true, force: true }))
let files = 0
const fresh = () => Path.join(folder, "deep", `${++files}.log`)

const linesOf = (path: string): ReadonlyArray<Monitoring.MonitorLine> =>
  Fs.readFileSync(path, "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line))

const Cut = Schema.Struct({
  written: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 8 })),
  lost: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 90 }))
})

describe("the log file of a monitor", () => {
  it.prop(
    "has each line once and in order, wherever its writers were cut off",
    [Arbitrary.array(Arbitrary.schema(Cut), { maxLength: 8 })],
    ([cuts]) => {
      const path = fresh()
      const all = Array.from({ length: 12 }, (_, n) => ({
        stream: n % 3 === 0 ? "other" : "one",
        position: n + 1,
        message: "ü".repeat(n)
      }))
      for (const { lost, written } of cuts) {
        const log = Monitoring.openMonitorLog(path)
        // Everything is offered again, as it is read from the log again.
        for (const line of all.slice(0, written)) log.write(line)
        log.close()
        Fs.truncateSync(path, Math.max(0, Fs.statSync(path).size - lost))
      }
      const log = Monitoring.openMonitorLog(path)
      for (const line of all) log.write(line)
      log.close()
      assert.deepEqual(linesOf(path), all)
    }
  )

  it("finds its position in a file that is longer than one read", () => {
    const path = fresh()
    const first = Monitoring.openMonitorLog(path)
    first.write({ stream: "early", position: 1 })
    for (let position = 2; position < 300; position++) {
      first.write({ stream: "long", position, message: "x".repeat(1_000) })
    }
    first.close()
    Fs.appendFileSync(path, '{"stream":"long","position":300,"mess')
    const second = Monitoring.openMonitorLog(path)
    second.write({ stream: "early", position: 1 })
    second.write({ stream: "early", position: 301 })
    second.write({ stream: "long", position: 299 })
    second.write({ stream: "long", position: 300 })
    second.close()
    assert.deepEqual(
      linesOf(path).map(({ position }) => position),
      [...Array.from({ length: 299 }, (_, n) => n + 1), 301, 300]
    )
  })

  it("leaves foreign lines alone", () => {
    const path = fresh()
    Fs.mkdirSync(Path.dirname(path), { recursive: true })
    Fs.writeFileSync(path, "a foreign note\n[1]\n")
    const log = Monitoring.openMonitorLog(path)
    log.write({ stream: "one", position: 1 })
    log.close()
    assert.strictEqual(Fs.readFileSync(path, "utf8"), 'a foreign note\n[1]\n{"stream":"one","position":1}\n')
  })
})
