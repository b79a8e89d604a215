/// Edits a GGUF file's structure the way an attacker would: lengths, counts, types and places, not blind bits.
struct GGUFMutator {
    var builder: GGUFBuilder

    /// Numbers at which arithmetic and limits break.
    static let numbers: [UInt64] = [
        0, 1, 2, 3, 8, 31, 32, 33, 255, 256, 512, 513, 4096, 65_535, 65_536, 65_537, 1 << 20, 1 << 24,
        1 << 30,
        1 << 31, 1 << 31 - 1, 1 << 32, 1 << 32 - 1, 1 << 33, 1 << 40, 1 << 61, 1 << 62, 1 << 63, 1 << 63 - 1,
        .max, .max - 1, .max - 31, .max - 63,
    ]

    mutating func edit(using generator: inout SeededGenerator) {
        switch Int.random(in: 0..<30, using: &generator) {
        case 0: builder.version = UInt32(truncatingIfNeeded: number(&generator))
        case 1: builder.announcedTensors = number(&generator)
        case 2: builder.announcedKeys = number(&generator)
        case 3: builder.tail = Int.random(in: -64...64, using: &generator)
        case 4: builder.alignment = [1, 8, 16, 32, 64].randomElement(using: &generator) ?? 32
        case 5: builder.add("general.alignment", UInt32(truncatingIfNeeded: number(&generator)))
        case 6: builder.add("general.alignment", type: 10, littleEndian(number(&generator)))
        case 7...16: editEntry(&generator)
        default: editTensor(&generator)
        }
    }

    private func number(_ generator: inout SeededGenerator) -> UInt64 {
        let number = Self.numbers.randomElement(using: &generator) ?? 0
        return Bool.random(using: &generator) ? number : number &+ UInt64.random(in: 0...3, using: &generator)
    }

    private mutating func editEntry(_ generator: inout SeededGenerator) {
        guard let index = builder.entries.indices.randomElement(using: &generator) else { return }
        switch Int.random(in: 0..<10, using: &generator) {
        case 0: builder.entries[index].keyLength = number(&generator)
        case 1: builder.entries[index].type = UInt32.random(in: 0...14, using: &generator)
        case 2: builder.entries[index].value = littleEndian(number(&generator)) + builder.entries[index].value
        case 3: builder.entries[index].value = Array(builder.entries[index].value.dropLast())
        case 4: builder.entries[index].key = []
        case 5: builder.entries.append(builder.entries[index])
        case 6: builder.entries.remove(at: index)
        case 7:
            builder.entries[index].type = 9
            builder.entries[index].value =
                littleEndian(UInt32.random(in: 0...13, using: &generator)) + littleEndian(number(&generator))
                + builder.entries[index].value
        case 8: builder.entries[index].key = [0xFF, 0xFE]
        default:
            let value = builder.entries[index].value
            guard let at = value.indices.randomElement(using: &generator) else { return }
            builder.entries[index].value[at] = UInt8.random(in: 0...255, using: &generator)
        }
    }

    private mutating func editTensor(_ generator: inout SeededGenerator) {
        guard let index = builder.tensors.indices.randomElement(using: &generator) else { return }
        switch Int.random(in: 0..<10, using: &generator) {
        case 0: builder.tensors[index].nameLength = number(&generator)
        case 1: builder.tensors[index].dimensionCount = UInt32(truncatingIfNeeded: number(&generator))
        case 2:
            guard let at = builder.tensors[index].dimensions.indices.randomElement(using: &generator) else {
                return
            }
            builder.tensors[index].dimensions[at] = number(&generator)
        case 3: builder.tensors[index].dimensions.append(number(&generator))
        case 4: builder.tensors[index].type = UInt32.random(in: 0...42, using: &generator)
        case 5: builder.tensors[index].offset = number(&generator)
        case 6: builder.tensors[index].offset = number(&generator) & ~31
        case 7: builder.tensors[index].data = Array(builder.tensors[index].data.dropLast())
        case 8: builder.tensors.append(builder.tensors[index])
        default: builder.tensors[index].name = []
        }
    }
}

/// Writes safetensors headers with one to three wrong or unusual parts.
enum SafetensorsMutator {
    static func mutant(using generator: inout SeededGenerator) -> [UInt8] {
        var builder = SafetensorsBuilder.small()
        for _ in 0..<Int.random(in: 1...3, using: &generator) {
            switch Int.random(in: 0..<8, using: &generator) {
            case 0: builder.announcedLength = GGUFMutator.numbers.randomElement(using: &generator)
            case 1: builder.data = Array(builder.data.dropLast(Int.random(in: 0...30, using: &generator)))
            case 2: builder.data += [UInt8](repeating: 0, count: Int.random(in: 0...8, using: &generator))
            case 3...6: replaceNumberOrToken(&builder, &generator)
            default: spliceText(&builder, &generator)
            }
        }
        return builder.bytes()
    }

    private static let tokens = [
        "null", "true", "-1", "1.5", "1e3", "\"x\"", "[]", "{}", "[[0]]", "\"\\ud800\"", "\"\\u0041\"", " ",
        "\t",
        "\"dtype\"", "\"__metadata__\"", "F64", "F32", "U8", ",", ":", "99999999999999999999", "\u{0}", "é",
    ]

    private static func replaceNumberOrToken(
        _ builder: inout SafetensorsBuilder, _ generator: inout SeededGenerator
    ) {
        let digits = builder.header.indices.filter { builder.header[$0].isNumber }
        guard let index = digits.randomElement(using: &generator) else { return }
        let isNumber = Bool.random(using: &generator)
        let replacement =
            isNumber
            ? String(GGUFMutator.numbers.randomElement(using: &generator) ?? 0)
            : tokens.randomElement(using: &generator) ?? ""
        builder.header.replaceSubrange(index...index, with: replacement)
    }

    private static func spliceText(_ builder: inout SafetensorsBuilder, _ generator: inout SeededGenerator) {
        guard let index = builder.header.indices.randomElement(using: &generator) else { return }
        if Bool.random(using: &generator) {
            builder.header.insert(contentsOf: tokens.randomElement(using: &generator) ?? "", at: index)
        } else {
            builder.header.remove(at: index)
        }
    }
}
