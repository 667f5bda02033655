import { describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import { expect } from "vitest"
import { Graph } from "../../src/domain/index.ts"

type Nodes = ReadonlyArray<Graph.Node>

const index = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 6 }))
const edges = Arbitrary.array(Arbitrary.schema(Schema.Array(index)), { maxLength: 7 })

/** Any graph: the nodes are `n0`, `n1` …, edges to nodes that do not exist are left out. */
const anyGraph: Arbitrary.Arbitrary<Nodes> = Arbitrary.map(edges, (rows) =>
  rows.map((row, position) => ({
    name: `n${position}`,
    dependsOn: [...new Set(row)].filter((target) => target < rows.length).map((target) => `n${target}`)
  }))
)
/** A graph without cycles: a node depends on earlier ones alone. */
const acyclicGraph: Arbitrary.Arbitrary<Nodes> = Arbitrary.map(anyGraph, (nodes) =>
  nodes.map(({ dependsOn, name }, position) => ({
    name,
    dependsOn: dependsOn.filter((target) => Number(target.slice(1)) < position)
  }))
)

/** Whether all nodes can be taken one after another, each after its dependencies. */
const canBeOrdered = (nodes: Nodes): boolean => {
  const taken = new Set<string>()
  for (let round = 0; round < nodes.length; round++) {
    for (const { dependsOn, name } of nodes) if (dependsOn.every((target) => taken.has(target))) taken.add(name)
  }
  return taken.size === nodes.length
}

const hasEdge = (nodes: Nodes, from: string, to: string): boolean =>
  nodes.some(({ dependsOn, name }) => name === from && dependsOn.includes(to))

describe("a dependency graph", () => {
  it.prop("has a cycle exactly when its nodes cannot be put in order", [anyGraph], ([nodes]) => {
    expect(Graph.cycle(nodes) === undefined).toBe(canBeOrdered(nodes))
  })

  it.prop("shows an existing cycle, closed", [anyGraph], ([nodes]) => {
    const path = Graph.cycle(nodes)
    if (path === undefined) return
    expect(path.length).toBeGreaterThan(1)
    expect(path[0]).toBe(path.at(-1))
    path.slice(1).forEach((to, position) => expect(hasEdge(nodes, path[position]!, to)).toBe(true))
  })

  it.prop("has no cycle if edges only point backwards", [acyclicGraph], ([nodes]) => {
    expect(Graph.cycle(nodes)).toBeUndefined()
  })

  it.prop("knows what a node depends on, directly or not", [anyGraph], ([nodes]) => {
    for (const { dependsOn, name } of nodes) {
      const found = Graph.dependencies(nodes, name)
      const closure = new Set(dependsOn)
      for (const target of closure)
        nodes.find((node) => node.name === target)?.dependsOn.forEach((next) => closure.add(next))
      expect([...found].toSorted()).toEqual([...closure].toSorted())
    }
  })

  it.prop("turns round every edge, and back", [anyGraph], ([nodes]) => {
    const reversed = Graph.reverse(nodes)
    for (const { name: from } of nodes) {
      for (const { name: to } of nodes) expect(hasEdge(reversed, to, from)).toBe(hasEdge(nodes, from, to))
    }
    const sorted = (graph: Nodes) => graph.map(({ dependsOn, name }) => ({ name, dependsOn: dependsOn.toSorted() }))
    expect(sorted(Graph.reverse(reversed))).toEqual(sorted(nodes))
  })

  it("leaves out edges to unknown nodes when it is reversed", () => {
    expect(Graph.reverse([{ name: "web", dependsOn: ["api"] }])).toEqual([{ name: "web", dependsOn: [] }])
  })
})
