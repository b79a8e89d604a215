import Digest
import Testing

/// The examples of NIST (FIPS 180-4's SHA1.pdf), and names that git gives.
@Suite struct SHA1Tests {
    private func hexadecimal(_ bytes: [UInt8], cut: Int = 0) -> String {
        var hash = SHA1()
        hash.update(Array(bytes[..<cut]))
        hash.update(Array(bytes[cut...]))
        return SHA256.hexadecimal(hash.finish())
    }

    @Test func theExamplesOfTheStandardComeOut() {
        #expect(hexadecimal(Array("abc".utf8)) == "a9993e364706816aba3e25717850c26c9cd0d89d")
        #expect(hexadecimal([]) == "da39a3ee5e6b4b0d3255bfef95601890afd80709")
        let long = Array("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8)
        for cut in 0...long.count {
            #expect(hexadecimal(long, cut: cut) == "84983e441c3bd26ebaae4aa1f95129e5e54670f1")
        }
        let letters = Array(repeating: UInt8(ascii: "a"), count: 1_000_000)
        #expect(hexadecimal(letters, cut: 77) == "34aa973cd4c4daa4f61eeb2bdbad27316534016f")
    }

    /// `printf 'what is up, doc?' | git hash-object --stdin`, and the same of nothing.
    @Test func blobsHaveGitsNames() {
        for (text, name) in [
            ("what is up, doc?", "bd9dbf5aae1a3862dd1526723246b20206e5fc37"),
            ("", "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"),
        ] {
            var hash = SHA1(gitBlobOfBytes: text.utf8.count)
            hash.update(Array(text.utf8))
            #expect(SHA256.hexadecimal(hash.finish()) == name)
        }
    }
}
