/**
 * The simulator beside moto: what both answer is more likely to be what AWS answers. The page with the differences is written
 * here, and each difference needs a reason.
 */
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { install, start } from "../../../../scripts/aws-emulators.mjs"
import { startAwsSimulator } from "../../src/testing/index.ts"
import { crossCheck, reasons } from "./crossCheck/index.ts"
import { clients } from "./world.ts"

const page = fileURLToPath(new URL("../../../../docs/aws-simulator-differences.md", import.meta.url))

const installed = (): boolean => {
  try {
    install("moto")
    return true
  } catch (error) {
    if (process.env["CI"]) throw error
    console.warn(`moto cannot be installed here, so the cross-check of the simulator is skipped: ${String(error)}`)
    return false
  }
}

const onSimulator = async (): Promise<ReadonlyMap<string, string>> => {
  const simulator = await startAwsSimulator({ scale: 0 })
  try {
    return await crossCheck({
      aws: clients(simulator.endpoint),
      subnets: ["subnet-0a", "subnet-0b"],
      vpc: "vpc-0a1b2c3d",
      image: "ami-0a1b2c3d4e5f67890",
      settle: () => simulator.advance(30_000)
    })
  } finally {
    await simulator.close()
  }
}

const onMoto = async (): Promise<ReadonlyMap<string, string>> => {
  const { stop, url } = await start({ name: "moto" })
  try {
    const aws = clients(url)
    const { Subnets } = await aws.ec2.describeSubnets({})
    const { Images } = await aws.ec2.describeImages({})
    return await crossCheck({
      aws,
      subnets: Subnets!.slice(0, 2).map(({ SubnetId }) => SubnetId!),
      vpc: Subnets![0]!.VpcId!,
      image: Images![0]!.ImageId!,
      settle: () => Promise.resolve()
    })
  } finally {
    await stop()
  }
}

const table = (rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths = rows[0]!.map((_, index) => Math.max(...rows.map((row) => row[index]!.length)))
  const line = (row: ReadonlyArray<string>) =>
    `| ${row.map((text, index) => text.padEnd(widths[index]!)).join(" | ")} |`
  const [head, ...body] = rows
  return [line(head!), `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...body.map(line)].join("\n")
}

const cell = (text: string) => `\`${text.replaceAll("|", "\\|")}\``

describe.skipIf(!installed())("the simulator and moto", () => {
  it("answer alike, but for differences that have a reason", async () => {
    const [simulator, moto] = await Promise.all([onSimulator(), onMoto()])
    const different = [...simulator].filter(([step, answer]) => moto.get(step) !== answer)
    expect(new Set(different.map(([step]) => step))).toEqual(new Set(Object.keys(reasons)))
    const rows = different.map(([step, answer]) => [step, cell(answer), cell(moto.get(step)!), reasons[step]!])
    await expect(`# The simulator of AWS beside moto

Written by \`packages/provider-aws/test/testing/moto.test.ts\` from what happens; run it with \`-u\` to write it again.

One script of ${simulator.size} steps runs against [the simulator](aws-simulator.md) and against moto 5.2.5. ${simulator.size - different.length} answers are equal;
these are not. \`BLUE\` and \`GREEN\` stand for ARNs, and a bare name is the name of an error.

${table([["step", "simulator", "moto", "why"], ...rows])}
`).toMatchFileSnapshot(page)
  })
})
