//! What a native host needs: carries signature checks with `jsonwebtoken` (ES512: `p521`).
