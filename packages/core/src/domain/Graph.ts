/**
 * The dependency graph of stacks.
 */

/** A node of the dependency graph, such as a stack. */
export interface Node<Name extends string = string> {
  readonly name: Name
  readonly dependsOn: ReadonlyArray<Name>
}

/**
 * A cycle, as its names with the first repeated at the end, or undefined if there is none.
 */
export const cycle = <Name extends string>(nodes: ReadonlyArray<Node<Name>>): ReadonlyArray<Name> | undefined => {
  const byName = new Map(nodes.map((node) => [node.name, node]))
  const done = new Set<Name>()
  const visit = (name: Name, path: ReadonlyArray<Name>): ReadonlyArray<Name> | undefined => {
    if (path.includes(name)) return [...path.slice(path.indexOf(name)), name]
    if (done.has(name)) return undefined
    for (const dependency of byName.get(name)?.dependsOn ?? []) {
      const found = visit(dependency, [...path, name])
      if (found !== undefined) return found
    }
    done.add(name)
    return undefined
  }
  for (const { name } of nodes) {
    const found = visit(name, [])
    if (found !== undefined) return found
  }
  return undefined
}

/**
 * Everything that `name` depends on, directly or indirectly.
 */
export const dependencies = <Name extends string>(nodes: ReadonlyArray<Node<Name>>, name: Name): ReadonlySet<Name> => {
  const byName = new Map(nodes.map((node) => [node.name, node]))
  const found = new Set<Name>()
  const visit = (current: Name) => {
    for (const dependency of byName.get(current)?.dependsOn ?? []) {
      if (found.has(dependency)) continue
      found.add(dependency)
      visit(dependency)
    }
  }
  visit(name)
  return found
}

/**
 * The same nodes with every edge reversed: the order for undoing. Edges to unknown names are left out.
 */
export const reverse = <Name extends string>(nodes: ReadonlyArray<Node<Name>>): ReadonlyArray<Node<Name>> =>
  nodes.map(({ name }) => ({
    name,
    dependsOn: nodes.filter((node) => node.dependsOn.includes(name)).map((node) => node.name)
  }))
