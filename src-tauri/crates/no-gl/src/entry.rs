//! What the loader calls: `glvnd/libeglabi.h` of libglvnd, EGL 1.5 behind it.

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::ptr;

/// Major number of the loader's interface that this is made for.
const INTERFACE: u32 = 0;
/// `EGL_SUCCESS`. Whoever asks for errors until there are none must come to an end.
const SUCCESS: c_int = 0x3000;
/// `EGL_VENDOR`, `EGL_VERSION`, `EGL_EXTENSIONS`, `EGL_CLIENT_APIS`: what can be asked in words.
const VENDOR: c_int = 0x3053;
const VERSION: c_int = 0x3054;
const EXTENSIONS: c_int = 0x3055;
const CLIENT_APIS: c_int = 0x308D;
/// Without a display only these are asked for. The web engine takes a display that needs no window system.
const WITHOUT_DISPLAY: &CStr = c"EGL_EXT_platform_base EGL_MESA_platform_surfaceless";

/// What the loader wants of an implementation, in the order of `__EGLapiImports`.
#[repr(C)]
pub(crate) struct Imports {
    display: Option<extern "C" fn(c_uint, *mut c_void, *const isize) -> *const c_void>,
    draws_with: Option<extern "C" fn(c_uint) -> c_uint>,
    vendor: Option<extern "C" fn(c_int) -> *const c_char>,
    function: Option<unsafe extern "C" fn(*const c_char) -> Option<Function>>,
    /// More functions than EGL has; the rest of the structure is left as the loader has it.
    further: Option<extern "C" fn(*const c_char) -> *const c_void>,
    place_of_further: Option<extern "C" fn(*const c_char, c_int)>,
}

/// A function of EGL, whatever it takes and gives back.
type Function = unsafe extern "C" fn();

/// The loader begins here. Gives back whether it may go on.
///
/// # Safety
/// As in `glvnd/libeglabi.h`: `imports` points to the structure of this version of the interface.
#[expect(unsafe_code, reason = "a C interface")]
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn __egl_Main(
    version: u32,
    _exports: *const c_void,
    _vendor: *mut c_void,
    imports: *mut Imports,
) -> c_uint {
    if version >> 16 != INTERFACE || imports.is_null() {
        return 0;
    }
    // SAFETY: as the caller promises; the fields are the first ones in every minor version.
    let imports = unsafe { &mut *imports };
    imports.display = Some(display);
    imports.draws_with = Some(draws_with);
    imports.vendor = Some(vendor);
    imports.function = Some(function);
    imports.further = Some(further);
    imports.place_of_further = Some(place_of_further);
    1
}

/// One display for whatever is asked; its address is all there is of it.
static DISPLAY: u8 = 0;

extern "C" fn display(
    _platform: c_uint,
    _native: *mut c_void,
    _wants: *const isize,
) -> *const c_void {
    ptr::from_ref(&DISPLAY).cast()
}

/// The loader takes nobody who draws with neither kind of GL, so it is told that we do; no context ever comes of it.
extern "C" fn draws_with(_api: c_uint) -> c_uint {
    1
}

extern "C" fn vendor(_name: c_int) -> *const c_char {
    ptr::null()
}

extern "C" fn further(_name: *const c_char) -> *const c_void {
    ptr::null()
}

extern "C" fn place_of_further(_name: *const c_char, _place: c_int) {}

/// A function by its name; none that EGL does not have. The loader wants all of them to be there.
///
/// # Safety
/// `name` is a C string.
#[expect(unsafe_code, reason = "a C interface")]
unsafe extern "C" fn function(name: *const c_char) -> Option<Function> {
    if name.is_null() {
        return None;
    }
    // SAFETY: as the caller promises.
    let name = unsafe { CStr::from_ptr(name) }.to_bytes();
    let found: *const () = match name {
        b"eglInitialize" => initialize as *const (),
        b"eglQueryString" => query_string as *const (),
        b"eglGetError" => error as *const (),
        b"eglGetPlatformDisplay" => display as *const (),
        b"eglTerminate" | b"eglMakeCurrent" | b"eglReleaseThread" | b"eglBindAPI" => {
            done as *const ()
        }
        _ if name.starts_with(b"egl") => nothing as *const (),
        _ => return None,
    };
    // SAFETY: all of them are functions; the caller calls each as EGL has it.
    Some(unsafe { std::mem::transmute::<*const (), Function>(found) })
}

/// `eglInitialize`: where asked for, the version goes there.
///
/// # Safety
/// Both are null or may be written to.
#[expect(unsafe_code, reason = "a C interface")]
unsafe extern "C" fn initialize(
    _display: *mut c_void,
    major: *mut c_int,
    minor: *mut c_int,
) -> c_uint {
    for (place, number) in [(major, 1), (minor, 5)] {
        // SAFETY: as the caller promises.
        if let Some(place) = unsafe { place.as_mut() } {
            *place = number;
        }
    }
    1
}

/// `eglQueryString`.
extern "C" fn query_string(display: *const c_void, what: c_int) -> *const c_char {
    let words = match what {
        EXTENSIONS if display.is_null() => WITHOUT_DISPLAY,
        VERSION => c"1.5",
        VENDOR => c"Balie",
        EXTENSIONS | CLIENT_APIS => c"",
        _ => return ptr::null(),
    };
    words.as_ptr()
}

extern "C" fn error() -> c_int {
    SUCCESS
}

/// What there is nothing to do for. It takes what it is called with and looks at none of it, as C lets it.
extern "C" fn done() -> c_uint {
    1
}

/// Everything else: no configuration, no context, no surface, no image. Zero is false, null and none at all.
extern "C" fn nothing() -> usize {
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loaded() -> Imports {
        let mut imports = Imports {
            display: None,
            draws_with: None,
            vendor: None,
            function: None,
            further: None,
            place_of_further: None,
        };
        assert_eq!(begin(INTERFACE << 16 | 2, &mut imports), 1);
        imports
    }

    #[expect(unsafe_code, reason = "as the loader calls it")]
    fn begin(version: u32, imports: &mut Imports) -> c_uint {
        // SAFETY: a whole structure.
        unsafe { __egl_Main(version, ptr::null(), ptr::null_mut(), imports) }
    }

    #[expect(unsafe_code, reason = "as the loader calls it")]
    fn named(imports: &Imports, name: &CStr) -> Option<Function> {
        // SAFETY: a C string.
        imports.function.and_then(|function| unsafe { function(name.as_ptr()) })
    }

    #[test]
    fn a_loader_of_another_interface_is_refused() {
        let mut imports = loaded();
        imports.display = None;
        assert_eq!(begin(1 << 16, &mut imports), 0);
        assert!(imports.display.is_none(), "nothing is given to it");
    }

    #[test]
    fn every_function_of_egl_is_there_and_no_other() {
        let imports = loaded();
        for name in [
            c"eglInitialize",
            c"eglChooseConfig",
            c"eglCreateContext",
            c"eglSwapBuffers",
            c"eglGetError",
        ] {
            assert!(named(&imports, name).is_some(), "{name:?}");
        }
        assert!(named(&imports, c"glClear").is_none());
    }

    #[test]
    #[expect(unsafe_code, reason = "as a program calls it")]
    fn there_is_a_display_of_egl_1_5() {
        let imports = loaded();
        let display = imports.display.expect("a display")(0x31DD, ptr::null_mut(), ptr::null());
        assert!(!display.is_null());
        let (mut major, mut minor) = (0, 0);
        // SAFETY: both may be written to.
        assert_eq!(unsafe { initialize(display.cast_mut(), &raw mut major, &raw mut minor) }, 1);
        assert_eq!((major, minor), (1, 5));
        // SAFETY: null is allowed.
        assert_eq!(unsafe { initialize(display.cast_mut(), ptr::null_mut(), ptr::null_mut()) }, 1);
    }

    #[test]
    #[expect(unsafe_code, reason = "words of ours")]
    fn a_display_without_a_window_system_is_offered_and_no_extension_on_it() {
        let said = |display, what| {
            let words = query_string(display, what);
            // SAFETY: null or a constant.
            (!words.is_null()).then(|| unsafe { CStr::from_ptr(words) })
        };
        let display: *const c_void = ptr::from_ref(&DISPLAY).cast();
        assert_eq!(said(ptr::null(), EXTENSIONS), Some(WITHOUT_DISPLAY));
        assert_eq!(said(display, EXTENSIONS), Some(c""));
        assert_eq!(said(display, VERSION), Some(c"1.5"));
        assert_eq!(said(display, 0), None);
    }
}
