"""A network as what others build with: C++ header, CMSSW package, test vectors, board wrappers."""
