"""Runs the function `main` of a module by LLVM's JIT compiler: the program of one sandbox.

Arguments: the folder of llvmlite, the module's file, and libraries that it may use. Undefined
symbols are looked up in this process and in the libraries.
"""

import ctypes
import os
import sys


def main(libraries: str, path: str, *shared: str) -> None:
    """Compile and run, then end with the exit code of the function `main`."""
    sys.path.append(libraries)
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    for library in shared:
        binding.load_library_permanently(library)
    machine = binding.Target.from_triple(binding.get_process_triple()).create_target_machine(jit=True)
    with open(path, encoding="utf-8") as file:  # noqa: PTH123
        builder = binding.JITLibraryBuilder().add_ir(file.read()).export_symbol("main").add_current_process()
    linked = builder.link(binding.create_lljit_compiler(machine), "program")
    function = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_void_p)(linked["main"])
    code = function(0, None)
    ctypes.CDLL(None).fflush(None)
    os._exit(code & 255)


if __name__ == "__main__":
    main(*sys.argv[1:])
