/// A grammar while it is followed: sets of places in it, numbered as they are met, with the steps between them.
///
/// A place is a state and a stack of the states to return to. Stacks are shared: each is one pair of a stack and what is
/// on top of it, so equal stacks are the same number, and equal sets of places as well. A step once made is looked up.
struct Automaton: Sendable {
    /// Beyond these a grammar is given up: what an honest one takes is far below.
    enum Limit {
        /// Places at one time.
        static let places = 4096
        /// Places that are looked at, all steps together; looked-up steps are free.
        static let work = 20_000_000
        /// Steps that are kept.
        static let steps = 16_000_000
    }

    /// No place is left.
    static let dead: Int32 = -1
    private static let unknown: Int32 = -2

    private struct Place: Hashable {
        var state: Int32
        var stack: Int32
    }

    private struct PlaceSet {
        /// Where a byte is read, sorted.
        var places: [Place]
        /// Whether the text may end here.
        var isAccepting: Bool
    }

    let grammar: Grammar
    private var sets: [PlaceSet] = []
    /// A row for each set, of the next set by the byte's class.
    private var steps: [Int32] = []
    private var numbers: [[Place]: [Int32]] = [:]
    private var work = 0
    /// Of each stack what is below, and the state on top; stack 0 is empty.
    private var below: [Int32] = [0]
    private var tops: [Int32] = [0]
    private var stacks: [Place: Int32] = [:]

    /// Begins at whole texts; the first set is 0.
    init(_ grammar: Grammar) throws(GrammarError) {
        self.grammar = grammar
        _ = try number(closing([Place(state: grammar.starts[Int(grammar.root)], stack: 0)]))
    }

    /// Whether the text may end.
    func isAccepting(_ set: Int32) -> Bool { sets[Int(set)].isAccepting }

    /// Whether the text may go on.
    func canContinue(_ set: Int32) -> Bool { !sets[Int(set)].places.isEmpty }

    /// The set after one byte more, or `dead`.
    mutating func step(_ set: Int32, _ byte: UInt8) throws(GrammarError) -> Int32 {
        let column = grammar.classes[Int(byte)]
        let index = Int(set) * grammar.classCount + Int(column)
        let known = steps[index]
        if known != Self.unknown { return known }
        let next = try makeStep(set, column)
        steps[index] = next
        return next
    }

    private mutating func makeStep(_ set: Int32, _ column: UInt8) throws(GrammarError) -> Int32 {
        var reached: [Place] = []
        for place in sets[Int(set)].places {
            guard case .bytes(let range) = grammar.states[Int(place.state)] else { continue }
            for edge in range where grammar.edges[Int(edge)].classes.contains(column) {
                reached.append(Place(state: grammar.edges[Int(edge)].next, stack: place.stack))
            }
        }
        return reached.isEmpty ? Self.dead : try number(closing(reached))
    }

    /// Follows rules and forks until only places remain that read a byte.
    private mutating func closing(_ start: [Place]) throws(GrammarError) -> PlaceSet {
        var seen = Set(start)
        var waiting = start
        var result = PlaceSet(places: [], isAccepting: false)
        func add(_ place: Place) { if seen.insert(place).inserted { waiting.append(place) } }
        while let place = waiting.popLast() {
            guard seen.count <= Limit.places else { throw .tooAmbiguous }
            switch grammar.states[Int(place.state)] {
            case .bytes(let range): if !range.isEmpty { result.places.append(place) }
            case .fork(let range):
                for target in range { add(Place(state: grammar.targets[Int(target)], stack: place.stack)) }
            case .call(let rule, let next):
                let stack = grammar.states[Int(next)] == .end ? place.stack : push(next, on: place.stack)
                add(Place(state: grammar.starts[Int(rule)], stack: stack))
            case .end:
                if place.stack == 0 {
                    result.isAccepting = true
                } else {
                    add(Place(state: tops[Int(place.stack)], stack: below[Int(place.stack)]))
                }
            }
        }
        work += seen.count
        guard work <= Limit.work else { throw .tooAmbiguous }
        result.places.sort { ($0.state, $0.stack) < ($1.state, $1.stack) }
        return result
    }

    private mutating func push(_ state: Int32, on stack: Int32) -> Int32 {
        let key = Place(state: state, stack: stack)
        if let known = stacks[key] { return known }
        let stack = Int32(tops.count)
        tops.append(key.state)
        below.append(key.stack)
        stacks[key] = stack
        return stack
    }

    private mutating func number(_ set: PlaceSet) throws(GrammarError) -> Int32 {
        for known in numbers[set.places] ?? [] where sets[Int(known)].isAccepting == set.isAccepting {
            return known
        }
        guard steps.count < Limit.steps else { throw .tooAmbiguous }
        let number = Int32(sets.count)
        sets.append(set)
        numbers[set.places, default: []].append(number)
        steps += repeatElement(Self.unknown, count: grammar.classCount)
        return number
    }
}
