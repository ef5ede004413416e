//! The Merkle tree under a batch's signature: RFC 9162 section 2.1 over SHA-256.
//!
//! ```text
//! leaf(d)    = SHA-256(0x00 || d)
//! node(l, r) = SHA-256(0x01 || l || r)
//! root()     = SHA-256("")
//! ```
//!
//! A tree of n leaves splits at the largest power of two below n. Hashing level by level, with an
//! odd last node moving up unchanged, gives the same tree without recursion. One signature over
//! the root then covers every statement, and each keeps a proof of its own that tells nothing of
//! its neighbours but a hash. Consistency proofs are absent: a batch never grows.

use sha2::{Digest, Sha256};

/// A leaf's or node's SHA-256 value.
type Node = [u8; 32];

/// The hash of one leaf's data: `SHA-256(0x00 || data)`.
pub fn leaf_hash(data: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update([0]).chain_update(data).finalize().into()
}

/// The root over `leaves`, which are leaf hashes in order.
pub fn root(leaves: &[[u8; 32]]) -> [u8; 32] {
    Tree::new(leaves).root()
}

/// The audit path of the leaf at `index`, nearest sibling first (RFC 9162 section 2.1.3.1).
///
/// Panics if there is no such leaf, as indexing does. For many paths of one tree use [`Tree`].
pub fn path(leaves: &[[u8; 32]], index: usize) -> Vec<[u8; 32]> {
    Tree::new(leaves).path(index)
}

/// Whether `leaf` is at `index` in the tree of `size` leaves with this `root`
/// (RFC 9162 section 2.1.3.2). Takes at most one step for each bit of `size`, however long `path` is.
pub fn verify(leaf: [u8; 32], index: usize, size: usize, path: &[[u8; 32]], root: [u8; 32]) -> bool {
    if index >= size {
        return false;
    }
    let (mut index, mut last, mut hash) = (index, size - 1, leaf);
    for sibling in path {
        if last == 0 {
            return false;
        }
        if index % 2 == 1 || index == last {
            hash = node(sibling, &hash);
            // An odd last node has moved up unchanged until it became a right child.
            while index % 2 == 0 {
                index /= 2;
                last /= 2;
            }
        } else {
            hash = node(&hash, sibling);
        }
        index /= 2;
        last /= 2;
    }
    last == 0 && hash == root
}

/// A whole tree, hashed once, for the paths of all its leaves.
#[derive(Clone, Debug)]
pub struct Tree {
    /// Leaf hashes first, then each level above, the root alone at the end.
    levels: Vec<Vec<Node>>,
}

impl Tree {
    /// Hashes the tree over `leaves`, which are leaf hashes in order.
    pub fn new(leaves: &[[u8; 32]]) -> Self {
        let mut levels = vec![leaves.to_vec()];
        while let Some(below) = levels.last().filter(|level| level.len() > 1) {
            let above = below.chunks(2).map(parent).collect();
            levels.push(above);
        }
        Self { levels }
    }

    /// The root; of an empty tree the hash of nothing.
    pub fn root(&self) -> [u8; 32] {
        let top = self.levels.last().and_then(|level| level.first());
        top.copied().unwrap_or_else(|| Sha256::digest([]).into())
    }

    /// The audit path of the leaf at `index`, nearest sibling first. Panics if there is no such leaf.
    pub fn path(&self, index: usize) -> Vec<[u8; 32]> {
        assert!(index < self.levels[0].len(), "leaf index within the tree");
        self.levels.iter().enumerate().filter_map(|(height, level)| level.get((index >> height) ^ 1).copied()).collect()
    }
}

fn parent(children: &[Node]) -> Node {
    match children {
        [left, right] => node(left, right),
        [only] => *only,
        _ => unreachable!("chunks of two hold one or two"),
    }
}

fn node(left: &Node, right: &Node) -> Node {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{ProptestConfig, any, prop, prop_assert, proptest};

    use super::*;

    fn leaves(size: usize) -> Vec<Node> {
        (0..size).map(|i| leaf_hash(&i.to_be_bytes())).collect()
    }

    #[test]
    fn every_path_of_small_trees_verifies_at_its_own_place_alone() {
        for size in 1..=40 {
            let leaves = leaves(size);
            let tree = Tree::new(&leaves);
            for (index, leaf) in leaves.iter().enumerate() {
                let path = tree.path(index);
                for claimed in 0..=size {
                    assert_eq!(
                        verify(*leaf, claimed, size, &path, tree.root()),
                        claimed == index,
                        "{index} claimed as {claimed} of {size}"
                    );
                }
            }
        }
    }

    /// The definition of RFC 9162 section 2.1.1, word for word.
    fn recursive_root(leaves: &[Node]) -> Node {
        match leaves {
            [] => Sha256::digest([]).into(),
            [only] => *only,
            _ => {
                let split = leaves.len().next_power_of_two() / 2;
                node(&recursive_root(&leaves[..split]), &recursive_root(&leaves[split..]))
            }
        }
    }

    #[test]
    fn levels_give_the_tree_of_the_recursive_definition() {
        for size in 0..=130 {
            let leaves = leaves(size);
            assert_eq!(root(&leaves), recursive_root(&leaves), "{size} leaves");
        }
    }

    #[test]
    fn a_path_longer_than_the_tree_is_refused_whatever_its_length() {
        let leaves = leaves(5);
        let mut long = path(&leaves, 2);
        long.resize(1_000_000, [0; 32]);
        assert!(!verify(leaves[2], 2, 5, &long, root(&leaves)));
        assert!(!verify(leaves[0], 0, 0, &[], root(&[])));
        assert!(!verify(leaves[0], usize::MAX - 1, usize::MAX, &[], root(&leaves)));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_change_breaks_a_proof(
            data in prop::collection::vec(any::<[u8; 8]>(), 1..200),
            pick in any::<prop::sample::Index>(),
            bit in 0usize..256,
            place in any::<prop::sample::Index>(),
        ) {
            let leaves: Vec<Node> = data.iter().map(|d| leaf_hash(d)).collect();
            let (index, size, root) = (pick.index(leaves.len()), leaves.len(), root(&leaves));
            let path = path(&leaves, index);
            prop_assert!(verify(leaves[index], index, size, &path, root));

            let flipped = |node: Node| {
                let mut node = node;
                node[bit / 8] ^= 1 << (bit % 8);
                node
            };
            prop_assert!(!verify(flipped(leaves[index]), index, size, &path, root));
            prop_assert!(!verify(leaves[index], index, size, &path, flipped(root)));
            prop_assert!(!verify(leaves[index], index + size, size, &path, root));
            if !path.is_empty() {
                let mut altered = path.clone();
                let at = place.index(path.len());
                altered[at] = flipped(altered[at]);
                prop_assert!(!verify(leaves[index], index, size, &altered, root));
                prop_assert!(!verify(leaves[index], index, size, &path[1..], root));
                prop_assert!(!verify(leaves[index], index, 2 * size + 1, &path, root));
            }
            let mut longer = path.clone();
            longer.push(root);
            prop_assert!(!verify(leaves[index], index, size, &longer, root));
        }
    }
}
